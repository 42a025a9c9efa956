import type { Attack, HostView, ServerView, View } from './types.js';

/** A name that cannot be registered (RFC 6761 §6.4), so no policy pattern matches it. */
const attackersHost = 'mx.attacker.invalid';

/**
 * Returns the view of a sender while an on-path attacker is active. The attacker can
 * block or change every packet, but has neither the private keys of the domain nor a
 * certificate from a trusted CA for its names.
 *
 * @param validating whether the sender validates DNSSEC: forged answers of a signed zone
 * are then bogus (RFC 4035 §5), so the attacker can only make the lookup fail
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
        // After an insecure address answer the sender does not query TLSA (RFC 7672
        // §2.2.2), so the attacker cannot block that query.
        hosts: eachServer(view.hosts, strip).map((host) =>
          host.dnssec === 'secure' ? { ...host, tlsa: 'tempfail' as const } : host,
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
 * Returns the view of an on-path attacker that impersonates the server, with a
 * certificate that no public CA issued for that name and that no TLSA record matches.
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
  // The signed MX RRset names the real hosts. Only unsigned address records can still be
  // forged; for a signed host the attacker can only make the TLSA lookup fail.
  const hosts = view.hosts.map((host): HostView => {
    if (host.dnssec === 'insecure') return { ...host, servers: [server] };
    return host.dnssec === 'secure' ? { ...host, tlsa: 'bogus' } : host;
  });
  return { ...view, mtaSts, hosts };
}
