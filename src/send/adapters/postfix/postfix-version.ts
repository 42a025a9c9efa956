/** Postfix releases that the answers support. */
export const postfixVersions = ['3.4', '3.5', '3.6', '3.7', '3.8', '3.9', '3.10', '3.11'] as const;
export type PostfixVersion = (typeof postfixVersions)[number];

/**
 * The attributes that a release supports. An unknown attribute makes Postfix defer all
 * mail to the domain, so the version is configured and never guessed.
 */
export interface PostfixAbilities {
  /** Supports `protocols=>=TLSv1.2`; older releases need a list of excluded versions. */
  readonly leastProtocol: boolean;
  /**
   * `policy_type=sts` and its attributes; with it MX hosts outside the patterns are
   * not used (3.10.5).
   */
  readonly stsAttributes: boolean;
}

/** Abilities by release: see RELEASE_NOTES of Postfix 3.6 and 3.10. */
export function abilitiesOf(version: PostfixVersion): PostfixAbilities {
  const index = postfixVersions.indexOf(version);
  return {
    leastProtocol: index >= postfixVersions.indexOf('3.6'),
    stsAttributes: index >= postfixVersions.indexOf('3.10'),
  };
}

/**
 * The release of a version such as `3.7.11`; undefined for an unsupported release.
 */
export function releaseOf(versionText: string): PostfixVersion | undefined {
  const release = /^\d+\.\d+/.exec(versionText)?.[0];
  return postfixVersions.find((version) => version === release);
}
