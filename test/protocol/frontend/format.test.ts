// Amounts, times and parts as people read them.
import { formatBytes, formatDuration, formatPercent } from '../../../protocol/frontend/format.ts';
import { gives } from '../../support/gives.ts';

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

gives('amounts', formatBytes, [
  [0, '0 B'],
  [1, '1 B'],
  [1000, '1000 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1536, '1.50 KiB'],
  [10 * KIB, '10.0 KiB'],
  [100 * KIB, '100 KiB'],
  [1000 * KIB, '1000 KiB'],
  [MIB - 1, '1.00 MiB'],
  [512 * KIB, '512 KiB'],
  [MIB, '1.00 MiB'],
  [1.4 * GIB, '1.40 GiB'],
  [5e15, '4.44 PiB'],
]);
gives('durations', formatDuration, [
  [0, '0 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [200, '3 min 20 s'],
  [3600, '1 h 00 min'],
  [7500, '2 h 05 min'],
  [1e6, '12 days'],
]);
gives('per cents', ([done, of]: [number, number]) => formatPercent(done, of), [
  [[0, 10], 0],
  [[0, 0], 100],
  [[999, 1000], 99],
  [[1000, 1000], 100],
  [[1, 3], 33],
]);
