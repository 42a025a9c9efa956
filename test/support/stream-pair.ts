import { Duplex } from 'node:stream';

/** Returns two streams, each of which reads the data that the other writes. For tests. */
export function duplexPair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        setImmediate(() => {
          if (!other().destroyed) other().push(chunk);
          done();
        });
      },
      final(done) {
        if (!other().destroyed) other().push(null);
        done();
      },
    });
  const left: Duplex = make(() => right);
  const right: Duplex = make(() => left);
  return [left, right];
}
