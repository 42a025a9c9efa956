import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCa, createIntermediate, generateKey, issue, type KeyPair } from '../../pki/index.js';
import { parseCertificate, trustStore } from '../../x509/index.js';
import { publishSection } from '../config.js';
import { nodeDisk } from '../keys/durable-file.js';
import { KeyRing } from '../keys/key-ring.js';
import { startRollover, stepRollover } from '../tlsa/step-rollover.js';
import type { TlsaRolloverState } from '../tlsa/types.js';
import type { Alert } from '../actions.js';
import {
  crashAtEveryStep,
  moments,
  untilCrash,
} from '../../../test/support/publish/crash-injection.js';
import { importKey } from './import-key.js';
import { planImports } from './import-external.js';

const host = 'mx.example.com';
const [hour, day] = [3_600_000, 86_400_000];
const root = createCa({ name: 'Public Root' });
const ca = createIntermediate(root, { name: 'Public CA' });
const anchor = parseCertificate(root.der);
const anchors = trustStore(anchor.ok ? [anchor.value] : []);

/** Returns a simulated certbot with its archive and links, and the resulting key ring. */
function world(t: TestContext, { install = true, reuseKey = false } = {}) {
  const base = mkdtempSync(join(tmpdir(), 'hermetic-brought-'));
  t.after(() => rmSync(base, { recursive: true }));
  const [live, archive] = [join(base, 'live', host), join(base, 'archive', host)];
  for (const folder of [live, archive, join(base, 'renewal')])
    mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(base, 'renewal', `${host}.conf`),
    `version = 2.1.0\n[renewalparams]\n${reuseKey ? 'reuse_key = True\n' : ''}`,
  );
  const files = { chain: join(live, 'fullchain.pem'), key: join(live, 'privkey.pem') };
  const section = publishSection.parse({
    hosts: {
      [host]: {
        certificates: 'files',
        files: [files],
        ...(install ? { install: { folder: join(base, 'tls') } } : {}),
      },
    },
  });
  const ring = new KeyRing(join(base, 'keys'));
  const desired = section.hosts[host];
  assert.ok(desired);
  let renewals = 0;
  /** Links are changed one by one, as certbot changes them. */
  const turn = (file: string, text: string): void => {
    const target = join(archive, `${renewals}-${file}`);
    writeFileSync(target, text);
    // An old time, so that no file counts as part of an unfinished renewal.
    utimesSync(target, 1, 1);
    rmSync(join(live, file), { force: true });
    symlinkSync(target, join(live, file));
  };
  return {
    ring,
    wish: desired,
    files,
    turn,
    renew(
      key: KeyPair = generateKey(),
      names: readonly string[] = [host],
      end = Date.now() + 90 * day,
    ) {
      renewals++;
      const issued = issue(ca, { names, key, notAfter: end });
      turn('privkey.pem', issued.keyPem);
      turn('fullchain.pem', issued.chainPem);
      return { ...issued, key };
    },
    look: (state: TlsaRolloverState = startRollover(host), at = Date.now()) =>
      imported(planImports(state, desired, { ring, anchors, at }), ring),
  };
}

/**
 * Returns the plan after its imports were executed; failed imports are added to the
 * alerts.
 */
function imported({ imports, ...reading }: ReturnType<typeof planImports>, ring: KeyRing) {
  const failed = imports.flatMap(({ action }) => {
    const outcome = importKey(action, ring);
    return outcome.status === 'failed'
      ? [{ code: outcome.code, subject: host, detail: outcome.detail }]
      : [];
  });
  return { ...reading, alerts: [...reading.alerts, ...failed] };
}

const codes = ({ alerts }: { readonly alerts: readonly Alert[] }): readonly string[] =>
  alerts.map(({ code }) => code);

test('a renewal with the same key replaces the chain in the ring', (t) => {
  const { renew, look, ring } = world(t);
  const { key } = renew();
  assert.deepEqual(look(), { retire: [], waits: [], alerts: [] });
  const { chainPem } = renew(key);
  assert.deepEqual(look(), { retire: [], waits: [], alerts: [] });
  assert.deepEqual(
    ring.list(host, Date.now()).map(({ name, certified }) => [name, certified]),
    [['ecdsa-1', true]],
  );
  assert.equal(ring.pair(host, 'ecdsa-1').chain, chainPem);
});

test('a renewal with a new key is announced, and deployed after two TTLs', (t) => {
  const { renew, look, ring, wish: desired } = world(t);
  const first = renew();
  const ttl = 3600;
  let state = startRollover(host);
  let records: readonly string[] = [];
  let inUse = '';
  let announced = 0;
  let deployedAt = 0;
  const seenCodes = new Set<string>();
  const begun = Date.now();
  for (let at = begun; at < begun + 20 * hour && deployedAt === 0; at += hour / 4) {
    if (at - begun === 4 * hour) renew();
    const { retire, alerts } = look(state, at);
    for (const { code } of alerts) seenCodes.add(code);
    const keys = ring.list(host, at);
    inUse ||= keys[0]?.sha256 ?? '';
    const reading = {
      at,
      nameservers: [{ server: 'a', rrset: { records, ttl } }],
      dnssec: 'secure' as const,
      ds: { records: ['1 13 2 ab'], ttl },
      addresses: [{ address: '192.0.2.1', starttls: 'offered' as const, keys: [inUse] }],
      ring: keys,
    };
    const step = stepRollover(state, reading, {
      publish: true,
      types: desired.keys,
      matchingTypes: [1],
      ttl,
      retire,
      external: true,
    });
    state = step.state;
    for (const { action } of step.steps) {
      assert.notEqual(action.kind, 'make-key');
      if (action.kind === 'set-rrset') {
        records = action.to;
        if (records.length === 2) announced = at;
      }
      if (action.kind === 'deploy') {
        assert.equal(action.key, 'ecdsa-2');
        deployedAt = at;
      }
    }
  }
  assert.deepEqual([...seenCodes], ['publish-key-brought']);
  assert.ok(
    announced >= begun + 4 * hour && deployedAt >= announced + 2 * ttl * 1000,
    `${announced} ${deployedAt}`,
  );
  assert.equal(ring.pair(host, 'ecdsa-1').key.trim(), first.keyPem.trim());
});

test('a mismatched pair is awaited while fresh, then reported, and never imported', (t) => {
  const { renew, look, ring, turn, files } = world(t);
  const { chainPem } = renew();
  look();
  const before = ring.list(host, Date.now());
  for (const [text, why] of [
    [issue(ca, { names: [host] }).chainPem, /is for another key/],
    [chainPem.slice(0, 300), /not PEM with a certificate/],
    ['', /not PEM with a certificate/],
  ] as const) {
    turn('fullchain.pem', text);
    const now = Date.now();
    utimesSync(files.chain, now / 1000, now / 1000);
    const fresh = look(undefined, now);
    assert.deepEqual([codes(fresh), fresh.waits.length], [[], 1]);
    const stale = look(undefined, now + 120_000);
    assert.deepEqual(codes(stale), ['publish-brought-unfit']);
    assert.match(stale.alerts[0]?.detail ?? '', why);
    assert.deepEqual(ring.list(host, Date.now()), before);
  }
});

test('unfit external files are reported and not imported', (t) => {
  const { renew, look, ring, turn, files } = world(t);
  const reloaded = (): string => {
    const observed = look();
    assert.deepEqual(codes(observed), ['publish-brought-unfit']);
    return observed.alerts[0]?.detail ?? '';
  };
  renew(undefined, ['www.example.com']);
  assert.match(reloaded(), /is for www\.example\.com and not for mx\.example\.com/);
  renew(undefined, [host], Date.now() - 1000);
  assert.match(reloaded(), /has expired/);
  renew();
  turn('privkey.pem', 'no key');
  assert.match(reloaded(), /no private key/);
  unlinkSync(files.key);
  assert.match(reloaded(), /ENOENT/);
  assert.deepEqual(ring.list(host, Date.now()), []);
});

test('a key ring on a full disk: reported for this host, imported by the next round', (t) => {
  const { renew, look, ring, wish: desired } = world(t);
  renew();
  const disk = {
    ...nodeDisk,
    write() {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
        code: 'ENOSPC',
        syscall: 'write',
      });
    },
  };
  const reading = planImports(startRollover(host), desired, { ring, anchors, at: Date.now() });
  const observed = imported(reading, new KeyRing(ring.folder, disk));
  assert.deepEqual(codes(observed), ['publish-write-failed']);
  assert.deepEqual(codes(look()), []);
  assert.equal(ring.list(host, Date.now())[0]?.certified, true);
});

test('cert.pem without intermediates does not replace a chain to a public CA', (t) => {
  const { renew, look, ring, turn } = world(t);
  const { key } = renew();
  look();
  const before = ring.list(host, Date.now());
  turn('fullchain.pem', issue(ca, { names: [host], key }).certPem);
  const observed = look();
  assert.match(observed.alerts[0]?.detail ?? '', /are the intermediates missing/);
  assert.deepEqual(ring.list(host, Date.now()), before);
});

test('certbot without reuse_key is reported before the renewal that would defer mail', (t) => {
  const warned = (options: Parameters<typeof world>[1]): readonly string[] => {
    const { renew, look } = world(t, options);
    renew();
    return codes(look());
  };
  assert.deepEqual(warned({ install: false }), ['publish-key-not-kept']);
  assert.deepEqual(warned({ install: false, reuseKey: true }), []);
  assert.deepEqual(warned({ install: true }), []);
});

test('a new key in files that the server reads itself raises an alert', (t) => {
  const { renew, look, ring } = world(t, { install: false });
  renew();
  look();
  const [current] = ring.list(host, Date.now());
  renew();
  const state = {
    ...startRollover(host),
    slots: { ecdsa: { ...(current ? { current } : {}), made: 1 } },
  };
  const observed = look(state);
  assert.deepEqual(
    [codes(observed), observed.retire],
    [['publish-key-brought-unannounced'], [current?.sha256]],
  );
});

test('observing files writes nothing, and an import uses only the observed files', (t) => {
  const { renew, wish: desired, ring, turn } = world(t);
  renew();
  const reading = (): ReturnType<typeof planImports> =>
    planImports(startRollover(host), desired, { ring, anchors, at: Date.now() });
  const [first] = reading().imports;
  assert.ok(first);
  assert.deepEqual(reading().imports, [first]);
  assert.deepEqual(ring.list(host, Date.now()), []);
  renew();
  const late = importKey(first.action, ring);
  assert.equal(late.status === 'failed' && late.code, 'publish-brought-unfit');
  turn('privkey.pem', 'no key');
  assert.equal(importKey(first.action, ring).status, 'failed');
  assert.deepEqual(ring.list(host, Date.now()), []);
});

test('two new keys of one type get two numbers', (t) => {
  const { renew, wish: desired, ring, files } = world(t);
  renew();
  const [folder] = [mkdtempSync(join(tmpdir(), 'hermetic-other-'))];
  t.after(() => rmSync(folder, { recursive: true }));
  const other = issue(ca, { names: [host], key: generateKey(), notAfter: Date.now() + 90 * day });
  const more = { chain: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };
  writeFileSync(more.chain, other.chainPem);
  writeFileSync(more.key, other.keyPem);
  const both = { ...desired, files: [files, more] };
  const { imports } = planImports(startRollover(host), both, { ring, anchors, at: Date.now() });
  assert.deepEqual(
    imports.map(({ action }) => action.key),
    ['ecdsa-1', 'ecdsa-2'],
  );
});

for (const moment of moments)
  test(`a crash ${moment} an import: the next plan completes it`, async (t) => {
    const steps = await crashAtEveryStep(moment, async (mortal) => {
      const { renew, wish: desired, ring } = world(t);
      const { chainPem } = renew();
      const look = () =>
        planImports(startRollover(host), desired, { ring, anchors, at: Date.now() }).imports;
      const dying = new KeyRing(ring.folder, mortal.disk);
      await untilCrash(async () => {
        for (const { action } of look()) importKey(action, dying);
        await Promise.resolve();
      });
      for (const { action } of look())
        assert.deepEqual(importKey(action, ring), { status: 'done' });
      assert.deepEqual(look(), []);
      const held = ring.list(host, Date.now());
      assert.deepEqual(
        held.map(({ name, certified }) => [name, certified]),
        [['ecdsa-1', true]],
      );
      assert.equal(ring.chain(host, 'ecdsa-1'), chainPem);
    });
    assert.ok(steps >= 2, `only ${steps} steps`);
  });
