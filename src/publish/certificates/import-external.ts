import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeSystemError } from '../../base/index.js';
import { accepts, parsePem, verifyChain, type TrustStore } from '../../x509/index.js';
import type { Alert, ImportKey, KeyType, Wait } from '../actions.js';
import type { DesiredMailHost } from '../config.js';
import { judgeHostChain, type ChainJudgement } from '../keys/judge-chain.js';
import { parsePrivateKey, serverKey, type KeyRing, type RingKey } from '../keys/key-ring.js';
import type { ServerKey, TlsaRolloverState } from '../tlsa/types.js';

/** A certificate and its key that certbot, acme.sh or the operator keeps up to date. */
export interface ExternalFiles {
  readonly chain: string;
  readonly key: string;
}

/** A planned import, and the resulting key of the ring. */
export interface PlannedImport {
  readonly action: ImportKey;
  readonly key: RingKey;
}

/** The consequences of one mail host's external files for its key ring. */
export interface ImportPlan {
  /** Keys and chains that the ring lacks. */
  readonly imports: readonly PlannedImport[];
  /**
   * SHA-256 of keys in use that the files no longer contain: the server should stop using
   * these keys.
   */
  readonly retire: readonly string[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}

/** The plan for one pair of external files. */
export interface ExternalFilesPlan extends Omit<ImportPlan, 'retire'> {
  /** The key in the files, under its name in the ring. */
  readonly key?: ServerKey;
}

export interface ExternalImportOptions {
  readonly ring: KeyRing;
  readonly anchors: TrustStore;
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * Returns the highest number among the key names of a type that the rollover or another
   * import uses.
   */
  lastKeyNumber(keyType: KeyType): number;
}

/** Milliseconds: files that changed more recently may belong to an unfinished renewal. */
const SETTLING_MS = 60_000;

/**
 * Reads the files that other programs maintain for a mail host. Plans the imports into
 * the ring, and determines whether the files contain a different key from the one in use.
 * Writes nothing.
 */
export function planImports(
  { host: hostName, slots }: TlsaRolloverState,
  desired: DesiredMailHost,
  options: Omit<ExternalImportOptions, 'lastKeyNumber'>,
): ImportPlan {
  const imports: PlannedImport[] = [];
  const alerts: Alert[] = [];
  const waits: Wait[] = [];
  const retire: string[] = [];
  for (const filePath of desired.adopt) {
    const adopted = planAdoption(hostName, filePath, options);
    const isNew = ({ action }: PlannedImport): boolean =>
      !imports.some((planned) => planned.action.key === action.key);
    imports.push(...adopted.imports.filter(isNew));
    alerts.push(...adopted.alerts);
  }
  for (const files of desired.files) {
    const planned = planFilesImport(hostName, files, {
      ...options,
      lastKeyNumber: (keyType) =>
        (slots[keyType]?.made ?? 0) +
        imports.filter(({ key }) => key.name.startsWith(`${keyType}-`)).length,
    });
    imports.push(...planned.imports);
    waits.push(...planned.waits);
    alerts.push(...planned.alerts);
    const { key } = planned;
    const current = key && slots[key.type]?.current;
    const isInstalled = desired.install !== undefined;
    if (key && current && key.sha256 !== current.sha256) {
      retire.push(current.sha256);
      alerts.push({
        code: isInstalled ? 'publish-key-brought' : 'publish-key-brought-unannounced',
        subject: hostName,
        detail: `${files.key} holds ${key.name}, but the server uses ${current.name}`,
      });
    } else if (desired.dane && !isInstalled && renewsKey(files.chain) === true)
      alerts.push({ code: 'publish-key-not-kept', subject: hostName, detail: files.chain });
  }
  return { imports, retire, waits, alerts };
}

/**
 * Plans the import of one pair of external files: another chain for a key of the ring, or
 * a new key with its chain, which the rollover then treats as the next key. Files that do
 * not fit are reported and not imported. A chain without a path to a public CA does not
 * replace a chain that has one. Writes nothing.
 */
export function planFilesImport(
  hostName: string,
  externalFiles: ExternalFiles,
  options: ExternalImportOptions,
): ExternalFilesPlan {
  const { ring, at } = options;
  const content = readFiles(externalFiles);
  if ('why' in content) return unfit(hostName, content.why);
  const { chain, key: pem, changed } = content;
  const { found, judged } = judgeFiles(hostName, externalFiles, { chain, pem, at });
  const ringKeys = ring.list(hostName, at);
  const flaw =
    'flaw' in judged ? judged.flaw : trustFlaw(hostName, { chain, type: found?.type }, options);
  if (flaw !== undefined || !found || !('certificate' in judged)) {
    const detail = `${externalFiles.chain} ${flaw ?? ''}`;
    if (at - changed >= SETTLING_MS) return unfit(hostName, detail);
    const wait = { subject: hostName, why: `${detail}; the file changed a moment ago` };
    return { imports: [], waits: [{ ...wait, until: changed + SETTLING_MS }], alerts: [] };
  }
  const known = ringKeys.find(({ sha256 }) => sha256 === found.sha256);
  const keyName = known?.name ?? `${found.type}-${nextNumber(found.type, ringKeys, options)}`;
  const key = { ...found, name: keyName };
  if (known && ring.chain(hostName, keyName) === chain)
    return { key, imports: [], waits: [], alerts: [] };
  const action: ImportKey = {
    kind: 'import-key',
    host: hostName,
    key: keyName,
    from: { file: externalFiles.key, sha256: key.sha256 },
    chain: { file: externalFiles.chain, sha256: sha256Of(chain) },
  };
  const imported = { ...key, certified: true, certificate: judged.certificate };
  return { key, imports: [{ action, key: imported }], waits: [], alerts: [] };
}

/**
 * Judges whether the chain fits the key and the name of the host, and is valid at the
 * date.
 */
function judgeFiles(
  host: string,
  externalFiles: ExternalFiles,
  { chain, pem, at }: { readonly chain: string; readonly pem: string; readonly at: number },
): { readonly found?: ServerKey; readonly judged: ChainJudgement } {
  const privateKey = parsePrivateKey(pem);
  if (!privateKey)
    return {
      judged: { flaw: `goes with ${externalFiles.key}, which holds no private key in PEM` },
    };
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { found: serverKey('', publicKey), judged: judgeHostChain(chain, { host, spki, at }) };
}

/**
 * Returns a fault if the chain has no path to a public CA but the current chain has one.
 * The usual cause is a file that contains the certificate without its intermediates.
 */
function trustFlaw(
  hostName: string,
  { chain, type }: { readonly chain: string; readonly type: KeyType | undefined },
  { ring, anchors, at }: ExternalImportOptions,
): string | undefined {
  const isPublic = (pem: string): boolean => isTrusted(pem, anchors, at);
  const certified = ring
    .list(hostName, at)
    .filter((ringKey) => ringKey.type === type && ringKey.certified);
  const hadPublicChain = certified.some(({ name }) => isPublic(ring.chain(hostName, name) ?? ''));
  if (!hadPublicChain || isPublic(chain)) return undefined;
  return 'does not lead to a public CA, unlike the previous chain: are the intermediates missing?';
}

function nextNumber(
  keyType: KeyType,
  ringKeys: readonly RingKey[],
  { lastKeyNumber }: ExternalImportOptions,
): number {
  const pattern = new RegExp(`^${keyType}-(\\d{1,9})$`);
  const numbers = ringKeys.map(({ name }) => Number(pattern.exec(name)?.[1] ?? 0));
  return 1 + Math.max(lastKeyNumber(keyType), ...numbers);
}

/**
 * Plans the adoption of a key that a server already uses and that the ring lacks. A file
 * without a private key is reported.
 */
export function planAdoption(
  hostName: string,
  filePath: string,
  { ring, at }: Pick<ExternalImportOptions, 'ring' | 'at'>,
): Pick<ExternalFilesPlan, 'imports' | 'alerts'> {
  const content = readIfPresent(filePath);
  if ('why' in content) return unreadable(hostName, content.why);
  const privateKey = parsePrivateKey(content.pem);
  if (!privateKey) return unreadable(hostName, `${filePath}: no private key in PEM`);
  const key = serverKey('', createPublicKey(privateKey));
  const { sha256 } = key;
  if (ring.list(hostName, at).some((known) => known.sha256 === sha256))
    return { imports: [], alerts: [] };
  const keyName = `adopted-${sha256.slice(0, 8)}-0`;
  const action = {
    kind: 'import-key',
    host: hostName,
    key: keyName,
    from: { file: filePath, sha256 },
  } as const;
  return { imports: [{ action, key: { ...key, name: keyName, certified: false } }], alerts: [] };
}

function unreadable(hostName: string, detail: string): ReturnType<typeof planAdoption> {
  return { imports: [], alerts: [{ code: 'publish-adopt-unreadable', subject: hostName, detail }] };
}

/**
 * Returns whether certbot creates another key at its next renewal (`reuse_key` in its
 * renewal file); undefined if the file does not belong to certbot, or if its settings
 * cannot be read.
 */
export function renewsKey(chainFile: string): boolean | undefined {
  const live = dirname(chainFile);
  if (basename(dirname(live)) !== 'live') return undefined;
  const settings = join(live, '..', '..', 'renewal', `${basename(live)}.conf`);
  try {
    return !/^\s*reuse_key\s*=\s*true\s*$/im.test(readFileSync(settings, 'utf8'));
  } catch {
    return undefined;
  }
}

function readFiles(
  externalFiles: ExternalFiles,
): { chain: string; key: string; changed: number } | { why: string } {
  try {
    const changed = Math.max(
      statSync(externalFiles.chain).mtimeMs,
      statSync(externalFiles.key).mtimeMs,
    );
    const chain = readFileSync(externalFiles.chain, 'utf8');
    return { chain, key: readFileSync(externalFiles.key, 'utf8'), changed };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

function readIfPresent(filePath: string): { readonly pem: string } | { readonly why: string } {
  try {
    return { pem: readFileSync(filePath, 'utf8') };
  } catch (error) {
    return { why: `${filePath}: ${describeSystemError(error).message}` };
  }
}

/** Returns the SHA-256 of a file's text, lower-case hex. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isTrusted(pem: string, anchors: TrustStore, instant: number): boolean {
  const parsed = parsePem(pem);
  return (
    parsed.ok && accepts(verifyChain({ sent: parsed.value, anchors, validationTime: instant }))
  );
}

function unfit(hostName: string, detail: string): ExternalFilesPlan {
  const alerts = [{ code: 'publish-brought-unfit', subject: hostName, detail }];
  return { imports: [], waits: [], alerts };
}
