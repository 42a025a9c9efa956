import type { Attack, HostView, ServerView, View } from './types.js';

/** A name nobody can own (RFC 6761 §6.4), so no policy pattern matches it. */
const attackersHost = 'mx.attacker.invalid';

/**
 * The world as a sender finds it while an attacker is at work. `validating`: the sender
 * checks DNSSEC, so signed answers cannot be forged for it, only spoiled.
 */
export function attackView(view: View, attack: Attack, validating: boolean): View {
  switch (attack) {
    case 'none':
      return view;
    case 'stripStarttls':
      return { ...view, hosts: eachServer(view.hosts, strip) };
    case 'swapCertificate':
      return { ...view, hosts: eachServer(view.hosts, impersonate) };
    case 'spoofMx':
      return spoofMx(view, validating);
    case 'suppress':
      return {
        ...view,
        mtaSts: { ...view.mtaSts, live: 'unavailable' },
        // An insecure address answer means TLSA is never asked for (RFC 7672 §2.2.2), so
        // there is nothing to block.
        hosts: eachServer(view.hosts, strip).map((h) =>
          h.dnssec === 'secure' ? { ...h, tlsa: 'tempfail' as const } : h,
        ),
      };
  }
}

function eachServer(
  hosts: readonly HostView[],
  change: (server: ServerView) => ServerView,
): readonly HostView[] {
  return hosts.map((host) => ({ ...host, servers: host.servers.map(change) }));
}

function strip(server: ServerView): ServerView {
  return { ...server, reachable: 'yes', starttls: 'no' };
}

/**
 * The attacker answers in the server's place, with a certificate that no public CA issued
 * for that name and that no TLSA record knows.
 */
function impersonate(server: ServerView): ServerView {
  if (server.starttls === 'no') return server;
  return { ...server, reachable: 'yes', tls: 'yes', pkix: 'no', dane: 'no', attacker: true };
}

function spoofMx(view: View, validating: boolean): View {
  const mtaSts = { ...view.mtaSts, live: 'absent' as const };
  const server: ServerView = {
    ip: '',
    reachable: 'yes',
    starttls: 'yes',
    tls: 'yes',
    pkix: 'no',
    dane: 'no',
    attacker: true,
  };
  if (!validating || view.route.dnssec === 'insecure') {
    const forged: HostView = {
      name: attackersHost,
      preference: 0,
      dnssec: 'insecure',
      tlsa: 'absent',
      servers: [server],
    };
    return { route: { kind: 'mx', dnssec: 'insecure' }, mtaSts, hosts: [forged] };
  }
  return {
    ...view,
    mtaSts,
    hosts: view.hosts.map((host) =>
      host.dnssec === 'insecure'
        ? { ...host, servers: [server] }
        : host.dnssec === 'secure'
          ? { ...host, tlsa: 'bogus' }
          : host,
    ),
  };
}
