/**
 * Changes one RRset at a DNS provider, as docs/dns-hook.md describes. Needs Node.js 20 alone.
 *
 *   node change-record.mjs PROVIDER --zone example.com --token-file FILE < change.json
 *
 * PROVIDER is a file in the folder `providers`. Exit status: 0 when the RRset is exactly
 * `to`; 1 when it was changed by another program, or the provider refused; 2 for a usage
 * error. A failure never leaves a part of the new records behind without exit status 1.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { applyChange, inZone, parseChange } from './apply-change.mjs';

const names = ['powerdns', 'desec', 'cloudflare', 'hetzner', 'route53'];

const { values, positionals } = options();
const [name = ''] = positionals;
if (!names.includes(name)) usage(`name a provider: ${names.join(', ')}`);
if (!values.zone) usage('add --zone: the zone at the provider');

try {
  const change = parseChange(readFileSync(0, 'utf8'));
  if (!inZone(change.name, values.zone))
    throw new Error(`${change.name} is not in the zone ${values.zone}`);
  const { connect } = await import(`./providers/${name}.mjs`);
  await applyChange(connect(values), change);
} catch (error) {
  fail(1, error);
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        zone: { type: 'string' },
        // The file of the API token; for route53 the credentials of AWS.
        'token-file': { type: 'string' },
        // The address of the API, where it is not the provider's own.
        api: { type: 'string' },
        // route53: the id of the hosted zone.
        'zone-id': { type: 'string' },
        // powerdns: the name of the server in the API.
        server: { type: 'string' },
        // Seconds; the provider refuses a smaller TTL.
        'least-ttl': { type: 'string' },
      },
    });
  } catch (error) {
    return fail(2, error);
  }
}

function usage(text) {
  fail(2, new Error(text));
}

/** One line: Hermetic shows the end of standard error. */
function fail(status, error) {
  const reason = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  console.error(`change-record: ${error.message}${reason}`.replaceAll(/\s+/g, ' '));
  process.exit(status);
}
