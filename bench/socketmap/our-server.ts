import { keepHeapSmall } from '../../src/base/index.js';
import { startMap } from './start-map.js';
import { reportUsage } from './usage.js';

keepHeapSmall();
reportUsage(await startMap(process.argv[2] ?? ':memory:'));
