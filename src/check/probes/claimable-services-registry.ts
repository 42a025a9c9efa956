/**
 * Hosting services at which a customer chooses the name below a shared suffix, or
 * attaches a foreign name without proof of its ownership. If a name points to one of
 * these services and no customer uses the name any more, another customer can claim it.
 * Source: the list can-i-take-over-xyz (commit 003c6b9) and the public documentation of
 * the services, reviewed 2026-11. GitHub Pages, Heroku, Netlify and Webflow verify some
 * names only. GitLab Pages, CloudFront, Fastly and Firebase verify every name and are
 * left out. A service that is not listed is not judged.
 */
const services: readonly (readonly [suffix: string, service: string])[] = [
  ['azurewebsites.net', 'Azure App Service'],
  ['cloudapp.net', 'Azure Cloud Services'],
  ['cloudapp.azure.com', 'Azure virtual machines'],
  ['trafficmanager.net', 'Azure Traffic Manager'],
  ['azureedge.net', 'Azure CDN'],
  ['azurefd.net', 'Azure Front Door'],
  ['azure-api.net', 'Azure API Management'],
  ['blob.core.windows.net', 'Azure Blob Storage'],
  ['web.core.windows.net', 'Azure static websites'],
  ['elasticbeanstalk.com', 'AWS Elastic Beanstalk'],
  ['s3.amazonaws.com', 'Amazon S3'],
  ['github.io', 'GitHub Pages'],
  ['bitbucket.io', 'Bitbucket Cloud'],
  ['pages.dev', 'Cloudflare Pages'],
  ['netlify.app', 'Netlify'],
  ['netlify.com', 'Netlify'],
  ['herokuapp.com', 'Heroku'],
  ['herokudns.com', 'Heroku'],
  ['herokussl.com', 'Heroku'],
  ['fly.dev', 'Fly.io'],
  ['surge.sh', 'Surge'],
  ['readthedocs.io', 'Read the Docs'],
  ['ghost.io', 'Ghost'],
  ['webflow.io', 'Webflow'],
];

/** Endpoints of S3 websites have the region in their name. */
const s3Website = /(^|\.)s3(-website)?[.-][a-z0-9-]+\.amazonaws\.com$/;

/**
 * Returns the service that a name in lower-case A-labels belongs to; undefined for any
 * other name.
 */
export function claimableService(name: string): string | undefined {
  if (s3Website.test(name)) return 'Amazon S3';
  return services.find(([suffix]) => name.endsWith(`.${suffix}`))?.[1];
}
