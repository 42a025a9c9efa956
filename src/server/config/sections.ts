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
   * The resolvers. The daemon validates DNSSEC itself, so any resolver that passes DNSSEC
   * records through is sufficient.
   */
  resolver: z
    .strictObject({
      /**
       * `ADDRESS`, `ADDRESS:PORT`, `[IPv6]:PORT`, `tcp://ADDRESS` (one open connection for
       * all queries) or `tls://ADDRESS#NAME`. Default: the resolvers of /etc/resolv.conf.
       */
      addresses: texts.optional(),
      /** A file of DS or DNSKEY lines. Default: the root's, built in. */
      trustAnchor: file.optional(),
      /** Seconds of tolerance for the dates of a DNSSEC signature; 0 for no tolerance. */
      clockSkew: z.int().min(0).max(MAX_CLOCK_SKEW).default(300),
    })
    .prefault({}),
  /** The root certificates in which certificate chains must end. */
  roots: z
    .strictObject({
      /** A PEM file instead of the built-in roots. */
      replace: file.optional(),
      /** A PEM file in addition to them. */
      add: file.optional(),
    })
    .prefault({}),
  network: z
    .strictObject({
      /**
       * Whether the daemon contacts private, loopback and other special addresses in
       * foreign records.
       */
      privateAddresses: z.enum(['refuse', 'allow']).default('refuse'),
    })
    .prefault({}),
  /** The settings of the senders of this daemon. */
  policy: z
    .strictObject({
      /** Log the mail that would be deferred, and enforce nothing. */
      observe: z.boolean().default(false),
      /** DANE even if an unsigned MX names the host (RFC 7672 §2.2.1). */
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
  /** The database: policies, reports. */
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
  /** Prometheus text at `/metrics`, `ok` at `/health`, over plain HTTP. */
  metrics: z.strictObject({ listen: listenAddresses }).optional(),
  /** The shared HTTPS port: policy hosts, report intake. */
  web: z
    .strictObject({
      listen: listenAddresses,
      /**
       * Plain HTTP, port 80: only answers to http-01 requests of a CA (RFC 8555 §8.3).
       */
      http: listenAddresses.default([]),
      /**
       * Certificates by the names in them; the first one is also used if no name matches.
       */
      certificates: z.array(z.strictObject({ chain: file, key: file })).default([]),
      connections: z.int().min(1).max(100_000).default(1000),
    })
    .optional(),
};
