/** The supported Postfix releases. */
export const postfixVersions = ['3.4', '3.5', '3.6', '3.7', '3.8', '3.9', '3.10', '3.11'] as const;
export type PostfixVersion = (typeof postfixVersions)[number];

/**
 * The attributes that a release supports. Postfix defers all mail to a domain if the
 * answer has an attribute that Postfix does not know, so the operator configures the
 * version.
 */
export interface PostfixAbilities {
  /**
   * True if the release supports `protocols=>=TLSv1.2`; older releases need a list of
   * excluded versions.
   */
  readonly leastProtocol: boolean;
  /**
   * True if the release supports `policy_type=sts` and its attributes. With them, Postfix
   * does not use MX hosts outside the patterns (3.10.5).
   */
  readonly stsAttributes: boolean;
}

/**
 * Returns the attributes that a release supports, according to RELEASE_NOTES of Postfix
 * 3.6 and 3.10.
 */
export function abilitiesOf(version: PostfixVersion): PostfixAbilities {
  const index = postfixVersions.indexOf(version);
  return {
    leastProtocol: index >= postfixVersions.indexOf('3.6'),
    stsAttributes: index >= postfixVersions.indexOf('3.10'),
  };
}

/**
 * Returns the release of a version such as `3.7.11`; undefined for an unsupported
 * release.
 */
export function releaseOf(versionText: string): PostfixVersion | undefined {
  const release = /^\d+\.\d+/.exec(versionText)?.[0];
  return postfixVersions.find((version) => version === release);
}
