// The command that opens the swarm inspector of a download or share.
import { t } from '../common/l10n.ts';
import type { Command } from './context.ts';
import { subjectsOf } from './context.ts';

/** One, however many are selected: each is a tab that draws twice a second. */
export const inspectSwarm: Command = async ({ pickers, inspectorPanels }, argument) => {
  const transfer =
    subjectsOf(argument)[0]?.transfer ??
    (await pickers.transfer(t('Inspect Swarm'), t('The swarm of which file?'), () => true))?.id;
  if (transfer !== undefined) inspectorPanels.show(transfer);
};
