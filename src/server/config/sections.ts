import { z } from 'zod';
import { parseDomain } from '../../base/index.js';
import { MAX_CLOCK_SKEW } from '../../dns/index.js';
import { listenAddresses } from '../listen-address.js';

const file = z.string().min(1);
const texts = z.array(z.string());

/**
 * The sections of `hermetic.yaml` that belong to the daemon itself; every job adds its
 * own.
 */
export const commonSections = {
  /**
   * The recursive resolvers. The daemon validates DNSSEC itself, so any resolver that
   * passes DNSSEC records through is sufficient.
   */
  resolver: z
    .strictObject({
      /**
       * `ADDRESS`, `ADDRESS:PORT`, `[IPv6]:PORT`, `tcp://ADDRESS` (one open connection for
       * all queries) or `tls://ADDRESS#NAME`. Default: the resolvers of /etc/resolv.conf.
       */
      addresses: texts.optional(),
      /**
       * A file with the trust anchors of DNSSEC, as DS or DNSKEY lines. Default: the
       * built-in anchors of the root zone.
       */
      trustAnchor: file.optional(),
      /** Seconds of tolerance for the dates of a DNSSEC signature; 0 for no tolerance. */
      clockSkew: z.int().min(0).max(MAX_CLOCK_SKEW).default(300),
    })
    .prefault({}),
  /** The root certificates in which certificate chains must end. */
  roots: z
    .strictObject({
      /** A PEM file whose roots replace the built-in roots. */
      replace: file.optional(),
      /** A PEM file whose roots are trusted in addition to the built-in roots. */
      add: file.optional(),
    })
    .prefault({}),
  network: z
    .strictObject({
      /**
       * Whether the daemon contacts a private, loopback or other special address that the
       * DNS of another domain returns.
       */
      privateAddresses: z.enum(['refuse', 'allow']).default('refuse'),
    })
    .prefault({}),
  /** The settings for outbound mail of the senders that ask this daemon. */
  policy: z
    .strictObject({
      /**
       * Whether the daemon only logs the mail that a policy would defer, and enforces no
       * policy.
       */
      observe: z.boolean().default(false),
      /**
       * Whether DANE also applies to a host that an unsigned MX record names (RFC 7672
       * §2.2.1).
       */
      daneWithInsecureMx: z.boolean().default(true),
      /** Domains whose policies are not enforced for a time, each with a reason. */
      exemptions: z
        .array(
          z.strictObject({
            domain: z.string().transform((text, context) => {
              const domain = parseDomain(text);
              if (domain.ok) return domain.value.toLower();
              context.addIssue({
                code: 'custom',
                message: 'is not a domain: write the part after the @',
              });
              return z.NEVER;
            }),
            until: z.iso.datetime({
              offset: true,
              error: 'is not a time: write it as 2026-12-31T00:00:00Z',
            }),
            reason: z.string().min(1),
          }),
        )
        .default([]),
    })
    .prefault({}),
  /** The database of policies, reports and the state of the jobs. */
  store: z.strictObject({ file: file.default('/var/lib/hermetic/hermetic.db') }).prefault({}),
  /** The socket of `hermetic status` and `hermetic reload`. */
  control: z
    .strictObject({
      /**
       * Default: `control.sock` in the runtime folder of systemd; without that folder
       * there is no socket.
       */
      socket: z
        .string()
        .regex(/^\/[^\0]{1,106}$/, 'is not an absolute path of at most 107 octets: write one')
        .optional(),
    })
    .prefault({}),
  log: z.strictObject({ format: z.enum(['plain', 'json']).default('plain') }).prefault({}),
  /**
   * The plain HTTP port for monitoring: metrics for Prometheus at `/metrics`, `ok` at
   * `/health`.
   */
  metrics: z.strictObject({ listen: listenAddresses }).optional(),
  /** The shared HTTPS port: policy hosts, report intake. */
  web: z
    .strictObject({
      listen: listenAddresses,
      /**
       * The plain HTTP port, 80, which only answers http-01 requests of a CA (RFC 8555
       * §8.3).
       */
      http: listenAddresses.default([]),
      /**
       * The certificates, selected by the names in them. The first one is also used if no
       * name matches.
       */
      certificates: z.array(z.strictObject({ chain: file, key: file })).default([]),
      connections: z.int().min(1).max(100_000).default(1000),
    })
    .optional(),
};
