/**
 * The alerts that end a handshake (IANA "TLS Alerts"): number, name, fix.
 */
export const alertTable: readonly (readonly [number: number, name: string, fix: string])[] = [
  [
    0,
    'close_notify',
    "Read the server's log: the server ended the handshake with a regular closure.",
  ],
  [10, 'unexpected_message', "Read the server's log, and update its TLS library."],
  [
    20,
    'bad_record_mac',
    'Find the device that alters the traffic, or update the TLS library of the server.',
  ],
  [
    22,
    'record_overflow',
    'Find the device that alters the traffic, or update the TLS library of the server.',
  ],
  [
    40,
    'handshake_failure',
    'Enable at least one modern suite, and install a certificate of the type that the suite needs.',
  ],
  [42, 'bad_certificate', 'Do not ask senders for client certificates.'],
  [43, 'unsupported_certificate', 'Do not ask senders for client certificates.'],
  [44, 'certificate_revoked', 'Do not ask senders for client certificates.'],
  [45, 'certificate_expired', 'Do not ask senders for client certificates.'],
  [46, 'certificate_unknown', 'Do not ask senders for client certificates.'],
  [47, 'illegal_parameter', "Update the server's TLS library."],
  [48, 'unknown_ca', 'Do not ask senders for client certificates.'],
  [49, 'access_denied', 'Accept TLS from every sender.'],
  [50, 'decode_error', "Update the server's TLS library."],
  [51, 'decrypt_error', "Check that certificate and key match. Update the server's TLS library."],
  [70, 'protocol_version', 'Enable TLS 1.2 and TLS 1.3 on the server.'],
  [71, 'insufficient_security', 'Enable at least one modern suite on the server.'],
  [
    80,
    'internal_error',
    "Read the server's log. Often the server cannot read its certificate or key.",
  ],
  [86, 'inappropriate_fallback', 'Configure the server to accept its own best version.'],
  [90, 'user_canceled', "Read the server's log."],
  [109, 'missing_extension', "Update the server's TLS library."],
  [110, 'unsupported_extension', "Update the server's TLS library."],
  [
    112,
    'unrecognized_name',
    'Install a certificate for this name, or send the default certificate for unknown names.',
  ],
  [116, 'certificate_required', 'Do not ask senders for client certificates.'],
  [
    120,
    'no_application_protocol',
    'Configure the server to accept handshakes with an unknown ALPN.',
  ],
];
