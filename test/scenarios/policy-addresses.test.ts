import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { allScenarios, createLab, type Lab, type Scenario } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { checkDomains } from '../../src/cli/check-domains.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { grade } from '../../src/check/index.js';

const [FIRST, SECOND] = ['203.0.113.10', '203.0.113.11'];
const DAY = 86_400_000;

/** Returns a lab whose policy host has a second address with these settings. */
async function labWith(t: TestContext, second?: Server): Promise<Lab> {
  const scenario: Scenario = {
    domain: 'two.example',
    says: 'a policy host with two addresses',
    sts: { mode: 'enforce', hostRecords: `mta-sts A ${FIRST}\nmta-sts A ${SECOND}` },
    expect: (allScenarios[0] as Scenario).expect,
  };
  const lab = await createLab({ scenarios: [scenario] });
  t.after(() => lab.close());
  if (second) await attach(t, lab, second);
  return lab;
}

/** Starts a server at the second address. */
async function attach(t: TestContext, lab: Lab, server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  lab.attach(SECOND, 443, { address: '127.0.0.1', port });
}

async function check(lab: Lab): Promise<CheckResult> {
  const [collected] = checkDomains(lab, ['two.example'], { depth: 'verdict' });
  assert.ok(collected);
  return grade(await collected);
}

const shown = ({ findings }: CheckResult): readonly string[] =>
  findings.filter(({ id }) => /^sts-policy-/.test(id)).map(({ id, title }) => `${id} ${title}`);

/** Returns a policy host with the certificate of the lab's policy host. */
function policyServer(lab: Lab, mode: string): Server {
  const [issued] = lab.certificatesOf('mta-sts.two.example');
  const body = `version: STSv1\r\nmode: ${mode}\r\nmx: mx.two.example\r\nmax_age: 604800\r\n`;
  return createServer({ key: issued?.keyPem, cert: issued?.chainPem }, (_, response) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end(body),
  );
}

test('a refusing address of the policy host is reported, and the policy is found', async (t) => {
  const result = await check(await labWith(t));
  assert.equal(result.mtaSts.status, 'found');
  assert.deepEqual(shown(result), [
    `sts-policy-address-broken The policy host fails at some addresses: ${SECOND}`,
  ]);
  const [first, second] = result.mtaSts.addresses ?? [];
  assert.equal(first?.ip, FIRST);
  assert.match(first?.notAfter ?? '', /^20/);
  assert.deepEqual(second, { ip: SECOND, notAfter: undefined, problem: 'sts-policy-unreachable' });
});

test('an address with an untrusted certificate is reported although another works', async (t) => {
  const foreign = issue(createCa({ name: 'Other' }), {
    names: ['mta-sts.two.example'],
    notAfter: Date.now() + 30 * DAY,
  });
  const server = createServer({ key: foreign.keyPem, cert: foreign.chainPem });
  const result = await check(await labWith(t, server));
  assert.deepEqual(shown(result), [
    `sts-policy-address-broken The policy host fails at some addresses: ${SECOND}`,
  ]);
  assert.equal(result.mtaSts.addresses?.[1]?.problem, 'sts-policy-webpki-invalid');
});

test('addresses that serve different policies are reported', async (t) => {
  const lab = await labWith(t);
  await attach(t, lab, policyServer(lab, 'testing'));
  assert.deepEqual(shown(await check(lab)), [
    `sts-policy-differs The addresses of the policy host serve different policies: ${FIRST}, ${SECOND}`,
  ]);
});

test('addresses that serve the same policy raise nothing', async (t) => {
  const lab = await labWith(t);
  await attach(t, lab, policyServer(lab, 'enforce'));
  assert.deepEqual(shown(await check(lab)), []);
});

test('an address without a route from this machine is undecided', async (t) => {
  const lab = await labWith(t);
  const network: Lab['network'] = {
    exchange: (request) => lab.network.exchange(request),
    dial: (request) =>
      request.address === SECOND
        ? Promise.resolve({ ok: false, failure: { code: 'net-no-route', detail: '' } })
        : lab.network.dial(request),
  };
  const result = await check({ ...lab, network });
  assert.deepEqual(shown(result), []);
  assert.ok(result.undecided?.includes('sts-policy-address-broken'));
});
