// Each verb of a frontend as what the engine does for it: names become ids, answers become
// receipts. One line per verb where one is enough.
import path from 'node:path';
import type { RequestHandlers } from './engineApi.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import { checkSizes } from '../../protocol/messages/fileSizes.ts';
import type { AccountId, GroupId, RequestId, Root } from '../../protocol/base/ids.ts';
import type { ManifestFile } from '../../protocol/messages/manifest.ts';
import { MEMBERS_PER_GROUP_MAX, PASSWORD_CHARS_MIN } from '../../protocol/base/limits.ts';
import { readPages } from '../../protocol/frontend/pagination.ts';
import { checkFileName, checkName, nameKey } from '../../protocol/base/names.ts';
import type { OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import type { GroupView, MemberRow } from '../../protocol/messages/trackerLink.ts';
import type { Engine } from './engine.ts';
import { byPath, pageAfter } from './transferFiles/fileSelection.ts';
import { isMember } from './trackers/groupDiff.ts';
import type { SharedFile } from './previews/preview.ts';
import type { Transfer } from './transfers/transfer.ts';
import type { DownloadRequest } from './transfers/transfers.ts';

/** How long one tracker has to hash a password, in ms: there may be a queue. */
const PASSWORD_MS = 15_000;

/** A handler for every verb. */
export function requestHandlersOf(engine: Engine): RequestHandlers {
  const { trackers: trackerClient, transfers, world } = engine;
  const newId = <Id extends string>(): Id => world.chance.bytes(16).toString('hex') as Id;

  const me = (): AccountId => {
    if (!engine.account) throw new ShoalError('notSignedIn');
    return engine.account.account;
  };
  const does = async <N extends OperationName>(
    name: N,
    body: OperationBody<N>,
  ): Promise<{ durability: 'both' | 'one' }> => {
    const { durability } = await engine.submit(name, body);
    return { durability: durability === 'both' ? 'both' : 'one' };
  };
  /**
   * A group by its name, from what the tracker told us or, for others' groups, from the tracker.
   */
  const groupNamed = async (name: string): Promise<{ group: GroupId; name: string; view: GroupView | undefined }> => {
    me();
    const view = [...(trackerClient.inUse?.groups.values() ?? [])].find(
      (group) => nameKey(group.name) === nameKey(name),
    );
    if (view) return { group: view.group, name: view.name, view };
    const row = await trackerClient.call('findGroup', { name });
    return { group: row.group, name: row.name, view: undefined };
  };
  const request = async (groupName: string, user: string): Promise<{ group: GroupId; request: RequestId }> => {
    const { group, name, view } = await groupNamed(groupName);
    if (view?.role !== 'owner') throw new ShoalError('notOwner', { group: name });
    const found = view.requests.find((one) => nameKey(one.user) === nameKey(user));
    if (!found) throw new ShoalError('unknownRequest', { group: name, user });
    return { group, request: found.request };
  };
  const ownRequest = async (groupName: string): Promise<{ group: GroupId; request: RequestId }> => {
    const { group, name, view } = await groupNamed(groupName);
    const found = view?.role === 'applicant' ? view.requests[0] : undefined;
    if (!found) throw new ShoalError('unknownRequest', { group: name, user: engine.account?.user ?? '' });
    return { group, request: found.request };
  };
  const memberNamed = async (group: GroupId, user: string): Promise<AccountId> => {
    const isWanted = (member: MemberRow): boolean => nameKey(member.user) === nameKey(user);
    const members = await readPages({
      call: 'listMembers',
      nameOf: (member) => member.user,
      keyOf: nameKey,
      rowsMax: MEMBERS_PER_GROUP_MAX,
      isLast: isWanted,
      page: async (after) => {
        const { members: rows, more } = await trackerClient.call('listMembers', { group, after });
        return { rows, more };
      },
    });
    const found = members.find(isWanted);
    if (!found) throw new ShoalError('unknownUser', { user });
    return found.account;
  };
  const transfer = (id: number): Transfer => {
    me();
    const found = transfers.get(id);
    if (!found) throw new ShoalError('unknownDownload', { name: String(id), group: '' });
    return found;
  };
  const download = async ({
    group: groupName,
    name,
    ...request
  }: { readonly group: string; readonly name: string } & Omit<
    DownloadRequest,
    'account' | 'group' | 'groupName' | 'file'
  >): Promise<Transfer> => {
    const account = me();
    const { group, name: shown } = await groupNamed(groupName);
    const file = await trackerClient.call('findFile', { group, name });
    if ((request.only.length > 0 || request.choosing) && file.content !== 'folder') {
      throw new ShoalError('usage', { why: `${name} is a file; files are chosen of a folder` });
    }
    return transfers.download({ ...request, account, group, groupName: shown, file });
  };
  /** A version of a file, by what is known of it here or else by the catalogue. */
  const shared = async (groupName: string, name: string, root: Root): Promise<SharedFile> => {
    const { group, name: shown } = await groupNamed(groupName);
    const key = { group, root };
    const known = engine.reader.known(key);
    if (known) return { ...known, key, name, groupName: shown };
    const row = await trackerClient.call('findFile', { group, name });
    if (row.root !== root) throw new ShoalError('newerVersion', { name, group: shown });
    checkSizes(row);
    return {
      key,
      name: row.name,
      groupName: shown,
      sizeBytes: row.sizeBytes,
      pieceBytes: row.pieceBytes,
      content: row.content === 'folder' ? 'folder' : 'file',
    };
  };
  /** The list that is asked for page by page now: a long one takes a while to read. */
  let listing: { readonly id: number; readonly files: readonly ManifestFile[] } | undefined;
  const filesOf = async (one: Transfer): Promise<readonly ManifestFile[]> => {
    const files = await one.folderFiles();
    if (!files) throw new ShoalError('usage', { why: `there is no list of files of ${one.record.name}` });
    return byPath(files);
  };
  const checkPassword = (password: string): string => {
    if ([...password].length < PASSWORD_CHARS_MIN) {
      throw new ShoalError('passwordTooShort', { min: PASSWORD_CHARS_MIN });
    }
    return password;
  };

  return {
    async setTracker({ url, confirm }) {
      // Another realm means other accounts: first out of this one.
      const user = trackerClient.url === '' ? undefined : engine.account?.user;
      const before = trackerClient.realm;
      let isOther = false;
      const found = await trackerClient.set(url, ({ realm, firstUse }) => {
        isOther = user !== undefined && realm !== before;
        return !isOther && !(firstUse && confirm);
      });
      if (isOther) throw new ShoalError('signedInAlready', { user: user ?? '' });
      return { url: found.url, firstUse: found.firstUse };
    },
    async configure({ downLimitBytesPerS, upLimitBytesPerS, listenHost, listenPort, keepSharing, activeDownloads }) {
      await engine.configure({
        ...(downLimitBytesPerS !== undefined && { downLimitBytesPerS }),
        ...(upLimitBytesPerS !== undefined && { upLimitBytesPerS }),
        ...(listenHost !== undefined && { listenHost: listenHost === '' ? undefined : listenHost }),
        ...(listenPort !== undefined && { listenPort }),
        ...(keepSharing !== undefined && { keepSharing }),
        ...(activeDownloads !== undefined && { activeDownloads }),
      });
      return {};
    },

    async createUser({ user, password }) {
      checkName(user);
      checkPassword(password);
      await trackerClient.use(() => Promise.resolve()); // the realm must be known before anything is signed for it
      const account = newId<AccountId>();
      const signed = engine.operations.sign('createAccount', { account, name: user }, account);
      const receipt = await trackerClient.use((session) =>
        session.call('createAccount', { signed, password }, { deadlineMs: PASSWORD_MS }),
      );
      await engine.operations.onReceipt(signed, receipt);
      return { durability: receipt.durability === 'both' ? 'both' : 'one' };
    },
    async signIn({ user, password, hold }) {
      if (engine.account) throw new ShoalError('signedInAlready', { user: engine.account.user });
      const account = await trackerClient.use(async (session) => {
        const found = await session.call('authenticate', { user, password }, { deadlineMs: PASSWORD_MS });
        const signed = engine.operations.sign('signIn', { account: found.account }, found.account);
        await engine.operations.onReceipt(signed, await session.call('submit', { signed }));
        return found;
      });
      await engine.signedIn(account, hold);
      return account;
    },
    async signOut() {
      me();
      await engine.signOut();
      return {};
    },
    async changePassword({ oldPassword, newPassword }) {
      const account = me();
      checkPassword(newPassword);
      const signed = engine.operations.sign('changePassword', { account }, account);
      const receipt = await trackerClient.use((session) =>
        session.call('changePassword', { signed, oldPassword, newPassword }, { deadlineMs: PASSWORD_MS }),
      );
      await engine.operations.onReceipt(signed, receipt);
      return { durability: receipt.durability === 'both' ? 'both' : 'one' };
    },

    createGroup: ({ group }) => does('createGroup', { group: newId(), name: checkName(group) }),
    joinGroup: async ({ group }) => does('requestJoin', { group: (await groupNamed(group)).group, request: newId() }),
    cancelRequest: async ({ group }) => does('cancelRequest', await ownRequest(group)),
    leaveGroup: async ({ group }) => does('leaveGroup', { group: (await groupNamed(group)).group }),
    async removeMember({ group: name, user }) {
      const { group } = await groupNamed(name);
      return does('removeMember', { group, account: await memberNamed(group, user) });
    },
    async transferGroup({ group: name, user }) {
      const { group } = await groupNamed(name);
      return does('transferGroup', { group, account: await memberNamed(group, user) });
    },
    deleteGroup: async ({ group }) => does('deleteGroup', { group: (await groupNamed(group)).group }),
    renameGroup: async ({ group, to }) =>
      does('renameGroup', { group: (await groupNamed(group)).group, name: checkName(to) }),
    renameAccount: async ({ to }) => does('renameAccount', { account: me(), name: checkName(to) }),
    async listConflicts() {
      me();
      return trackerClient.call('conflicts', {});
    },
    acceptRequest: async ({ group, user }) => does('acceptRequest', await request(group, user)),
    rejectRequest: async ({ group, user }) => does('rejectRequest', await request(group, user)),
    async listGroups({ after }) {
      me();
      return trackerClient.call('listGroups', { after });
    },
    listMembers: async ({ group, after }) =>
      trackerClient.call('listMembers', { group: (await groupNamed(group)).group, after }),
    listFiles: async ({ group, after }) =>
      trackerClient.call('listFiles', { group: (await groupNamed(group)).group, after }),
    findFile: async ({ group, name }) =>
      trackerClient.call('findFile', { group: (await groupNamed(group)).group, name }),

    async read({ group, name, root, ...part }, { signal }) {
      return engine.reader.read(await shared(group, name, root), part, signal);
    },
    async listShared({ group, name, root, after }, { signal }) {
      const { files } = await engine.reader.folder(await shared(group, name, root), signal);
      return pageAfter(files, after);
    },

    async share({ group: groupName, path: file, name, replace }) {
      const account = me();
      const { group, name: shown, view } = await groupNamed(groupName);
      if (!isMember(view)) throw new ShoalError('notMember', { group: shown });
      const made = await transfers.share({
        account,
        group,
        groupName: shown,
        path: file,
        name: name ?? path.basename(file).normalize('NFC'),
        replace,
      });
      return { transfer: made.id };
    },
    download: async ({ mode, ...request }) => ({
      transfer: (await download({ ...request, mode: mode === 'other' ? 'auto' : mode })).id,
    }),
    downloadSome: async ({ mode, ...request }) => ({
      transfer: (
        await download({ ...request, mode: mode === 'other' ? 'auto' : mode, asFile: false, only: [], choosing: true })
      ).id,
    }),
    async folderFiles({ transfer: id, after }) {
      const files = (after === '' || listing?.id !== id ? undefined : listing.files) ?? (await filesOf(transfer(id)));
      const page = pageAfter(files, after);
      listing = page.more ? { id, files } : undefined;
      return page;
    },
    async chooseFiles({ transfer: id, only }) {
      await transfer(id).selectFiles(only);
      return {};
    },
    async stopShare({ group: groupName, name, remove }) {
      const { group, name: shown } = await groupNamed(groupName);
      checkFileName(name);
      const mine = transfers.ofFile(group, name).filter((one) => one.record.kind === 'share' || one.isComplete);
      const told = mine.some((one) => one.record.kind === 'share' && one.record.told);
      const { durability } = remove
        ? await does('removeFile', { group, name })
        : told
          ? await does('stopShare', { group, name })
          : { durability: 'both' as const };
      if (mine.length === 0 && !remove) throw new ShoalError('notSharer', { name, group: shown });
      for (const one of mine) {
        await transfers.remove(one);
        engine.notify.gone([one.id]);
      }
      return { durability };
    },
    async pause({ transfer: id }) {
      await transfer(id).pause();
      return {};
    },
    async resume({ transfer: id }) {
      await transfer(id).resume();
      return {};
    },
    async adjust({ transfer: id, mode, priority, move, moveTo, downLimitBytesPerS, upLimitBytesPerS }) {
      const adjusted = transfer(id);
      const target = moveTo === undefined ? undefined : transfer(moveTo);
      const isOfDownloads = (mode ?? priority ?? move ?? moveTo) !== undefined;
      const other = [adjusted, target].find((one) => one && (one.record.kind !== 'download' || one.isComplete));
      if (isOfDownloads && other) {
        throw new ShoalError('usage', { why: `${other.record.name} is not being downloaded` });
      }
      if (target && (move ?? priority) !== undefined) {
        throw new ShoalError('usage', {
          why: 'it goes to the place and the priority of another download, or to ones of its own',
        });
      }
      await adjusted.adjust({
        ...(mode !== undefined && mode !== 'other' && { mode }),
        ...(priority !== undefined && priority !== 'other' && { priority }),
        ...(downLimitBytesPerS !== undefined && { downLimitBytesPerS }),
        ...(upLimitBytesPerS !== undefined && { upLimitBytesPerS }),
      });
      if (target) await transfers.moveTo(adjusted, target);
      else if (move !== undefined && move !== 'other') await transfers.move(adjusted, move);
      else transfers.schedule();
      return {};
    },
    async cancelTransfer({ transfer: id }) {
      await transfers.remove(transfer(id));
      engine.notify.gone([id]);
      return {};
    },
    takeCutOff: async () => ({ downloaders: await engine.takeInterruptedUploads() }),
    verify: ({ transfer: id, repair }, { signal }) => transfer(id).verify(repair, signal),
    swarm: ({ transfer: id }) => engine.swarm(transfer(id)),
    sources({ transfer: id }) {
      const { swarm, store } = transfer(id);
      const sources = [...(swarm?.sources ?? [])].map(([pin, { user, pieces, bytes }]) => ({
        pin,
        user,
        pieces,
        bytes,
      }));
      return {
        sources: sources.sort((a, b) => b.bytes - a.bytes).slice(0, 256),
        bits: store?.states.held.bytes() ?? new Uint8Array(0),
      };
    },
  };
}
