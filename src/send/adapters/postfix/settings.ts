import { z } from 'zod';
import { postfixVersions, releaseOf } from './postfix-version.js';

/** The section `postfix` of `hermetic.yaml`, except for `listen`. */
export const postfixSection = z.strictObject({
  /**
   * The version of Postfix, as printed by `postconf -h mail_version`. This setting has no
   * default: Postfix defers all mail to a domain if the answer has an attribute that
   * Postfix does not know.
   */
  version: z
    .string({ error: 'must be in quotes: write "3.10", since 3.10 without them is the number 3.1' })
    .transform((versionText, context) => {
      const release = releaseOf(versionText);
      if (release) return release;
      context.addIssue({
        code: 'custom',
        message: `is not a supported version: write one of ${postfixVersions.join(', ')}`,
      });
      return z.NEVER;
    }),
  /**
   * The name of the map, which is the last part of `socketmap:inet:HOST:PORT:NAME` in
   * main.cf.
   */
  map: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'is not a map name: letters, digits, dots and hyphens')
    .default('hermetic'),
  /**
   * True to look up DANE and to answer with DANE levels for domains with TLSA records. If
   * false, TLSA records are not looked up.
   */
  dane: z.boolean().default(true),
  /**
   * The resolver that Postfix uses. For DANE levels this resolver must validate DNSSEC.
   */
  resolver: z
    .strictObject({
      /** Path of the resolv.conf that Postfix reads. */
      file: z.string().default('/etc/resolv.conf'),
      /**
       * True to trust the AD bit of name servers on other machines too (RFC 7672 §2.1.1).
       */
      trustRemote: z.boolean().default(false),
      /** Number of seconds between two probes of the resolver. */
      everySeconds: z.int().min(1).max(86_400).default(60),
    })
    .prefault({}),
  connections: z.int().min(1).max(100_000).default(1000),
  /**
   * Number of seconds without traffic after which a connection is closed. Postfix waits
   * 100 seconds for an answer, and the first fetch of a policy may take 60 seconds.
   */
  idleSeconds: z.int().min(1).max(3600).default(120),
  /** Maximum number of domains with cached answers. */
  cache: z.int().min(100).max(10_000_000).default(200_000),
});

export type PostfixSettings = z.output<typeof postfixSection>;
