/**
 * Alerts a server ends a handshake with (IANA "TLS Alerts"): number, name, what to do.
 */
export const alertTable: readonly (readonly [number: number, name: string, fix: string])[] = [
  [0, 'close_notify', "Look into the server's log: it closed the handshake in good order."],
  [10, 'unexpected_message', "Look into the server's log; update its TLS library."],
  [20, 'bad_record_mac', 'Something alters the traffic, or the server is broken.'],
  [22, 'record_overflow', 'Something alters the traffic, or the server is broken.'],
  [
    40,
    'handshake_failure',
    'Let the server offer at least one modern suite, and a certificate of the type it needs.',
  ],
  [42, 'bad_certificate', 'Do not ask senders for client certificates.'],
  [43, 'unsupported_certificate', 'Do not ask senders for client certificates.'],
  [44, 'certificate_revoked', 'Do not ask senders for client certificates.'],
  [45, 'certificate_expired', 'Do not ask senders for client certificates.'],
  [46, 'certificate_unknown', 'Do not ask senders for client certificates.'],
  [47, 'illegal_parameter', "Update the server's TLS library."],
  [48, 'unknown_ca', 'Do not ask senders for client certificates.'],
  [49, 'access_denied', 'Let every sender use TLS.'],
  [50, 'decode_error', "Update the server's TLS library."],
  [
    51,
    'decrypt_error',
    "Check that certificate and key belong together; update the server's TLS library.",
  ],
  [70, 'protocol_version', 'Enable TLS 1.2 and TLS 1.3 on the server.'],
  [71, 'insufficient_security', 'Let the server offer at least one modern suite.'],
  [
    80,
    'internal_error',
    "Look into the server's log: often its certificate or key cannot be read.",
  ],
  [86, 'inappropriate_fallback', 'Let the server accept its own best version.'],
  [90, 'user_canceled', "Look into the server's log."],
  [109, 'missing_extension', "Update the server's TLS library."],
  [110, 'unsupported_extension', "Update the server's TLS library."],
  [
    112,
    'unrecognized_name',
    'Configure a certificate for this name, or let the server answer unknown names with its default.',
  ],
  [116, 'certificate_required', 'Do not ask senders for client certificates.'],
  [
    120,
    'no_application_protocol',
    'Let the server accept handshakes with an ALPN it does not know.',
  ],
];
