/**
 * Compares and sets one RRset: the part of the hook that all providers share.
 *
 * Each provider module exports two functions. `read(name, type)` resolves to `{records,
 * ttl}` of exactly this RRset, empty if it does not exist. `write(change, present)` makes
 * the RRset exactly `change.to`. Both throw an Error when the provider refuses.
 */

const types = ['TLSA', 'TXT', 'MX', 'CNAME'];

/** Reads the change that Hermetic writes to standard input. */
export function parseChange(text) {
  const change = JSON.parse(text);
  const { name, type, from, to, ttl } = change;
  const isList = (list) =>
    Array.isArray(list) && list.every((record) => typeof record === 'string' && record !== '');
  if (typeof name !== 'string' || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name))
    throw new Error('the change has no valid name');
  if (!types.includes(type)) throw new Error(`the type is not one of ${types.join(', ')}`);
  if (!isList(from) || !isList(to)) throw new Error('from and to are not lists of records');
  if (!Number.isInteger(ttl) || ttl < 1) throw new Error('ttl is not a number of seconds');
  return { name, type, from, to, ttl };
}

/** Whether a name is the apex of a zone, or below it. */
export function inZone(name, zone) {
  return name === zone || name.endsWith(`.${zone}`);
}

/** The part of a name before its zone; empty for the apex. */
export function relativeName(name, zone) {
  return name === zone ? '' : name.slice(0, -zone.length - 1);
}

/**
 * Changes the RRset from `from` to `to` and reads it back. An RRset equal to `to` counts
 * as a success; an RRset that differs from `from` is not changed.
 */
export async function applyChange(provider, change) {
  const { name, type, from, to } = change;
  const present = await provider.read(name, type);
  if (isSame(type, present.records, to)) return;
  if (!isSame(type, present.records, from))
    throw new Error(`${name} ${type} was changed by another program`);
  await provider.write(change, present);
  const { records } = await provider.read(name, type);
  if (!isSame(type, records, to))
    throw new Error(`${name} ${type}: the provider accepted the change and shows other records`);
}

/** Whether two lists are the same RRset; providers write one record in several forms. */
export function isSame(type, left, right) {
  return keys(type, left) === keys(type, right);
}

/** The records of the first list that are not in the second. */
export function without(type, records, others) {
  const known = new Set(others.map((record) => recordKey(type, record)));
  return records.filter((record) => !known.has(recordKey(type, record)));
}

function keys(type, records) {
  return JSON.stringify(records.map((record) => recordKey(type, record)).sort());
}

function recordKey(type, record) {
  if (type === 'TXT') return textOf(record);
  const words = record.trim().toLowerCase().split(/\s+/);
  // Returns the digits without white space, which RFC 6698 §2.2 permits between them.
  if (type === 'TLSA') return [...words.slice(0, 3), words.slice(3).join('')].join(' ');
  return words.join(' ').replace(/\.?$/, '.');
}

/**
 * The text of a TXT record without quotes: providers split long texts at different
 * positions, and readers join the strings (RFC 8461 §3.1).
 */
export function textOf(record) {
  const strings = record.match(/"(?:[^"\\]|\\.)*"/g) ?? [record];
  return strings
    .map((text) => text.replace(/^"|"$/g, ''))
    .join('')
    .replaceAll(/\\(\d{3}|.)/g, (_, escape) =>
      escape.length === 3 ? String.fromCharCode(Number(escape)) : escape,
    );
}
