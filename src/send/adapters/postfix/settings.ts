import { z } from 'zod';
import { postfixVersions, releaseOf } from './postfix-version.js';

/** The section `postfix` of `hermetic.yaml`, except for `listen`. */
export const postfixSection = z.strictObject({
  /**
   * As `postconf -h mail_version` prints it. It is never guessed: Postfix defers all mail
   * to a domain if it does not know an attribute.
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
  /** The last part of `socketmap:inet:HOST:PORT:NAME` in main.cf. */
  map: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'is not a map name: letters, digits, dots and hyphens')
    .default('hermetic'),
  /** Whether domains with DANE are answered `dane`. If false, DANE is not looked up. */
  dane: z.boolean().default(true),
  /** The resolver of Postfix, which must validate DNSSEC for the level `dane`. */
  resolver: z
    .strictObject({
      /** The resolv.conf that Postfix reads. */
      file: z.string().default('/etc/resolv.conf'),
      /** Trust the AD bit of name servers on other machines too (RFC 7672 §2.1.1). */
      trustRemote: z.boolean().default(false),
      /** Seconds between two probes of whether it validates. */
      everySeconds: z.int().min(1).max(86_400).default(60),
    })
    .prefault({}),
  connections: z.int().min(1).max(100_000).default(1000),
  /**
   * Seconds without an octet until a connection is closed. Postfix waits 100 seconds for
   * an answer, and a first policy fetch may take 60.
   */
  idleSeconds: z.int().min(1).max(3600).default(120),
  /** Domains whose answers are cached. */
  cache: z.int().min(100).max(10_000_000).default(200_000),
});

export type PostfixSettings = z.output<typeof postfixSection>;
