import { readFileSync } from 'node:fs';

const TIMEOUT_MS = 30_000;
const MAX_TOKEN_LENGTH = 10_000;

/**
 * The base address of an API. Plain HTTP is accepted only on loopback, because the
 * request contains the token.
 */
export function apiAddress(text) {
  const url = new URL(text);
  const local = /^(127(\.\d+){3}|localhost|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local))
    throw new Error(`--api ${url.origin}: write an https address`);
  return text.replace(/\/$/, '');
}

/** The token in a file, which only root and the daemon should be able to read. */
export function readToken(file) {
  if (!file) throw new Error('add --token-file: the file with the token of the API');
  const token = readFileSync(file, 'utf8').slice(0, MAX_TOKEN_LENGTH).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`${file}: is not a token on one line`);
  return token;
}

/**
 * Sends a request and resolves to `{status, text, json}`. Throws for every status but
 * 2xx. Follows no redirect, because the token is for this server only.
 */
export async function callApi(method, url, { headers = {}, body } = {}) {
  const json = body !== undefined && typeof body !== 'string';
  const response = await fetch(url, {
    method,
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
    body: json ? JSON.stringify(body) : body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${method} ${new URL(url).pathname}: ${response.status} ${shorten(text)}`);
  return { status: response.status, text, json: parse(text) };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The provider's reason for a refusal, without control characters. */
function shorten(text) {
  return text.slice(0, 300).replaceAll(/[^\x20-\x7e]+/g, ' ');
}
