import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/base/index.js';
import { createReceiver, httpsHandler, openReports } from '../../../src/tls-rpt-receive/index.js';

/**
 * Accepts reports by HTTP into the named database, until it is killed; sends the port to
 * its parent.
 */
const receiver = createReceiver({
  store: await openReports(process.argv[2] ?? ''),
  clock: systemClock,
  domains: ['rcpt.example'],
  perMinute: 1_000_000,
  verify: async () => ({ result: 'none', detail: '' }),
});
const handle = httpsHandler({ receiver });
const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const request = new Request('https://reports.rcpt.example/', {
      method: 'POST',
      body: Buffer.concat(chunks),
    });
    void handle(request, { address: '127.0.0.1' }).then((response) =>
      outgoing.writeHead(response.status).end(),
    );
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
