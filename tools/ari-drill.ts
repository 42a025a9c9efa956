/**
 * Mass revocation of a fleet against the lab's CA: `npm run ari-drill -- [CERTIFICATES]`,
 * by default 1,000, at the limit of 300 new orders in three hours.
 */
import { massRevocationDrill } from '../test/support/publish/acme-drill.js';

const count = Number(process.argv[2] ?? 1000);
const result = await massRevocationDrill(count, 300);
const { filledInHours, limited, renewedInWindow, keysKept, extraOrders, crowding } = result;
console.log(
  `certificates                  ${count}, first issued in ${filledInHours} virtual hours`,
);
console.log(`renewed inside the window     ${renewedInWindow}`);
console.log(`keys kept                     ${keysKept}`);
console.log(`orders too many               ${extraOrders}`);
console.log(
  `requests refused by a limit   ${limited[0]} while filling (each ends the asking until the time it names), ${limited[1]} while renewing`,
);
console.log(`renewals an hour              ${crowding[1]} on average, ${crowding[0]} at most`);
process.exitCode =
  renewedInWindow === count && keysKept === count && extraOrders === 0 && limited[1] === 0 ? 0 : 1;
