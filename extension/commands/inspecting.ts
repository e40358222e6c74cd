// The command that opens the swarm inspector of a download or share.
import { t } from '../words.ts';
import type { Command } from './command.ts';
import { subjectsOf } from './command.ts';

export const inspectSwarm: Command = async ({ ask, inspectors }, given, all) => {
  const chosen = subjectsOf(given, all).flatMap(({ transfer }) => transfer ?? []);
  const asked = chosen.length > 0 ? undefined : await ask.transfer(t('Inspect Swarm'), t('The swarm of which file?'), () => true);
  for (const transfer of asked ? [asked.id] : chosen) inspectors.show(transfer);
};
