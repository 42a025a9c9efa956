import { createTransport } from 'nodemailer';
import { createLab } from 'hermetic/lab';
import { directTransport } from 'hermetic/nodemailer';

const lab = await createLab(); // for real mail: directTransport({ helo: 'mail.example.net' }), and no lab
const transport = createTransport(directTransport({ ...lab, helo: 'mail.sender.example' }));
const info = await transport.sendMail({
  from: 'me@sender.example',
  to: 'you@good.example',
  subject: 'Hello',
  text: 'Sealed.',
});
for (const { host, session, authenticate } of info.outcomes.flatMap((outcome) => outcome.attempts))
  console.log(
    `${host}: ${session?.version ?? 'in plaintext'}, authenticated by ${authenticate.join(' and ')}`,
  );
await lab.close();
