/**
 * Starts TLS at a mail server of 127.0.0.1 with a hello that has the key share of
 * X25519MLKEM768. Argument: the port. Prints `agreed`, or the code of the error.
 */
import { connect } from 'node:net';
import { connect as startTls } from 'node:tls';

const socket = connect(Number(process.argv[2]), '127.0.0.1');
const steps = ['EHLO client.example\r\n', 'STARTTLS\r\n'];

function end(result: string): void {
  console.log(result);
  process.exit(0);
}

function onError({ code, message }: NodeJS.ErrnoException): void {
  end(code ?? message);
}

function onReply(bytes: Buffer): void {
  if (!/^\d{3} /m.test(bytes.toString())) return;
  const step = steps.shift();
  if (step !== undefined) return void socket.write(step);
  socket.off('data', onReply);
  const settings = { ecdhCurve: '*X25519MLKEM768:*X25519', rejectUnauthorized: false };
  startTls({ socket, ...settings }, () => end('agreed')).on('error', onError);
}

socket.on('error', onError).on('data', onReply);
