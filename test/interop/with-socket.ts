const opener = `
import os, socket, sys
path, *command = sys.argv[1:]
opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
opened.bind(path)
os.chmod(path, 0o666)
os.dup2(opened.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
os.execvp(command[0], command)
`;

/**
 * Returns the arguments for python3, which acts as systemd does for `ListenDatagram=`: it
 * opens the socket and executes the command with the socket as descriptor 3.
 */
export function withSocket(path: string, command: readonly string[]): readonly string[] {
  return ['-c', opener, path, ...command];
}
