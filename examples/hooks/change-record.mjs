/**
 * Changes one RRset at a DNS provider, as docs/dns-hook.md describes. Needs only Node.js
 * 20.
 *
 *   node change-record.mjs PROVIDER --zone example.com --token-file FILE < change.json
 *
 * PROVIDER is a file in the folder `providers`. Exit status: 0 when the RRset is exactly
 * `to`; 1 when another program changed it, or the provider refused; 2 for a usage error.
 * If a failure leaves a part of the new records in the zone, the exit status is 1.
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
        // The address of the API, if it is not the provider's default.
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

/** Prints one line, because Hermetic shows the end of standard error. */
function fail(status, error) {
  const reason = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  console.error(`change-record: ${error.message}${reason}`.replaceAll(/\s+/g, ' '));
  process.exit(status);
}
