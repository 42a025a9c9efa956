/** Starts the server as the daemon starts: the heap stays small while modules load. */
const { keepHeapSmall } = await import('../../src/base/keep-heap-small.js');
keepHeapSmall();
await import('./our-server.js');
export {};
