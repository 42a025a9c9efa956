import { createSender } from 'hermetic';
import { createLab } from 'hermetic/lab';

const lab = await createLab(); // for real mail: createSender({ helo: 'mail.example.net' }), and no lab
const sender = createSender({ ...lab, helo: 'mail.sender.example' });
const connected = await sender.connect('stripped.example');
if (connected.ok) await connected.session.quit();
for (const { host, failure, reasons } of connected.outcome.attempts)
  console.log(`${host}: ${failure?.code ?? 'used'} (${reasons.join(', ')})`);
await lab.close();
