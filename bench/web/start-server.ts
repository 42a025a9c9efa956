/** Starts the server with a small heap while modules load, as the daemon does. */
const { keepHeapSmall } = await import('../../src/base/keep-heap-small.js');
keepHeapSmall();
await import('./our-server.js');
export {};
