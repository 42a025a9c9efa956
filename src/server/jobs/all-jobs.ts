import type { Job } from '../service.js';
import { pagesJob } from './pages.js';
import { postfixJob } from './postfix.js';
import { publishJob } from './publish.js';
import { reportJob } from './tls-rpt-receive.js';
import { reportingJob } from './tls-rpt-send.js';
import { watchJob } from './watch.js';

/** Every job of the daemon. A new one is a file beside this and a line here. */
export const jobs: readonly Job[] = [
  postfixJob,
  publishJob,
  reportJob,
  reportingJob,
  watchJob,
  pagesJob,
];
