import type { AddressEvidence, ConnectionEvidence, HandshakeEvidence } from '../../evidence/index.js';
import type { Conn } from '../../net/index.js';
import { openSession, starttlsOffer, type SmtpSession } from '../../smtp/index.js';
import { handshake, type HandshakeFacts } from '../../tls/index.js';
import { parseCertificate, verifyChain } from '../../x509/index.js';
import { stored, type ProbeContext } from './context.js';

type Draft = { -readonly [K in keyof ConnectionEvidence]: ConnectionEvidence[K] };

/** One polite conversation with one address: greeting, EHLO, STARTTLS, handshake, EHLO, QUIT. */
export async function probeSmtp(context: ProbeContext, host: string, ip: string): Promise<AddressEvidence> {
  const connection = await converse(context, host, ip);
  return { ip, ...statusOf(connection), connections: [connection] };
}

async function converse(context: ProbeContext, host: string, ip: string): Promise<ConnectionEvidence> {
  const { network, clock, smtpPort, timeoutMs, signal } = context;
  const began = clock.monotonic();
  const since = (from: number): number => Math.max(0, Math.round(clock.monotonic() - from));
  const draft: Draft = {
    purpose: 'handshake',
    at: since(context.startedAt),
    milliseconds: 0,
    dial: 'open',
    starttls: 'unknown',
    transcript: [],
  };
  const dialled = await network.dial({ address: ip, port: smtpPort, timeoutMs, ...(signal ? { signal } : {}) });
  if (!dialled.ok) return { ...draft, dial: stored(dialled.failure), milliseconds: since(began) };
  try {
    await talk(context, host, dialled.conn, draft);
  } finally {
    dialled.conn.close();
  }
  return { ...draft, milliseconds: since(began) };
}

/** Fills the draft as far as the server lets us come. */
async function talk(context: ProbeContext, host: string, conn: Conn, draft: Draft): Promise<void> {
  const { helo, timeoutMs, signal, clock } = context;
  const opened = await openSession({ conn, helo, timeoutMs, clock, ...(signal ? { signal } : {}) });
  if (!opened.ok) {
    draft.failure = stored(opened.failure);
    return;
  }
  const session = opened.value;
  try {
    draft.greeting = session.greeting;
    await upgrade(context, host, session, draft);
  } finally {
    draft.transcript = session.transcript.slice(0, 200);
  }
}

async function upgrade(context: ProbeContext, host: string, session: SmtpSession, draft: Draft): Promise<void> {
  const hello = await session.ehlo();
  if (!hello.ok) {
    draft.failure = stored(hello.failure);
    return;
  }
  draft.ehlo = { code: hello.value.code, lines: hello.value.lines };
  const offer = starttlsOffer(hello.value.lines);
  draft.starttls = offer.status;
  if (offer.status !== 'offered') {
    if (offer.status === 'mangled') draft.mangledAs = offer.mangledAs;
    await session.quit();
    return;
  }
  const { timeoutMs, signal } = context;
  let facts: HandshakeFacts | undefined;
  const secured = await session.startTls(async (plain) => {
    const made = await handshake({ conn: plain, servername: host, timeoutMs, ...(signal ? { signal } : {}) });
    if (made.ok) facts = made.facts;
    return made;
  });
  if (facts) draft.handshake = handshakeEvidence(context, facts);
  if (!secured.ok) {
    draft.failure = stored(secured.failure);
    // Any answer but 220 (RFC 3207 §4): senders that do not insist go on in clear.
    if (secured.failure.code === 'smtp-starttls-refused') {
      const { detail } = secured.failure;
      draft.starttls = 'refused';
      draft.starttlsReply = { code: Number(detail.slice(0, 3)), lines: [detail.slice(4)] };
    }
    return;
  }
  const again = await session.ehlo();
  if (again.ok) draft.ehloAfterTls = { code: again.value.code, lines: again.value.lines };
  else draft.failure = stored(again.failure);
  await session.quit();
}

function handshakeEvidence({ trustStore, now }: ProbeContext, facts: HandshakeFacts): HandshakeEvidence {
  const sent = facts.chain.flatMap((der) => {
    const parsed = parseCertificate(der);
    return parsed.ok ? [parsed.value] : [];
  });
  const { chain, validity, problems } = verifyChain({ sent, anchors: trustStore, at: now });
  return {
    version: facts.version as HandshakeEvidence['version'],
    suite: facts.suite,
    ...(facts.group ? { group: facts.group } : {}),
    sni: facts.sni,
    chain: facts.chain.map((der) => Buffer.from(der).toString('base64')),
    pkix: { chain, validity, problems },
  };
}

/** Silence and temporary refusals say nothing about a server; only what it clearly shows does. */
function statusOf({ dial, starttls, failure, ehlo }: ConnectionEvidence): Pick<AddressEvidence, 'status' | 'reason'> {
  if (dial !== 'open') {
    if (dial.code === 'net-no-route') return { status: 'skipped', reason: dial.code };
    const told = dial.code === 'net-refused' || dial.code === 'net-unreachable' || dial.code === 'net-reset';
    return { status: told ? 'unreachable' : 'inconclusive', reason: dial.code };
  }
  if (!ehlo || starttls === 'unknown') return { status: 'inconclusive', reason: failure?.code ?? 'smtp-no-answer' };
  return { status: 'reachable' };
}
