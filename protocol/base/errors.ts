// The one error type of all programs: a code with fields. Words and advice live in the code's row,
// so that every surface (command line, window, log) says the same, and a translation has one place
// to look.

interface Row {
  /**
   * Whether trying again can help: never, later, or at once with the other tracker or another peer.
   */
  readonly retry: 'never' | 'later' | 'elsewhere';
  /** Exit code of a command that ends so; `--help` of both command lines lists them. */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  /** What happened and what to do; `{name}` is replaced by the field of that name. */
  readonly text: string;
}

const rows = {
  // The wire.
  badFrame: { retry: 'never', exit: 1, text: 'the other side sent something that is not a Shoal frame ({why})' },
  frameTooLarge: {
    retry: 'never',
    exit: 1,
    text: 'the other side announced {bytes} bytes for {type}, at most {max} are allowed',
  },
  badMessage: { retry: 'never', exit: 1, text: 'the message {type} cannot be read: {why}' },
  unknownMessage: {
    retry: 'never',
    exit: 1,
    text: 'the other side does not know the message {type}; it may be an older version',
  },
  versionMismatch: {
    retry: 'never',
    exit: 1,
    text: 'this is Shoal protocol {ours}, the other side speaks {theirs}; update the older of the two',
  },
  wrongRole: {
    retry: 'never',
    exit: 1,
    text: 'the program at the other end is a {role}, not a {wanted}; check the address',
  },
  badProof: {
    retry: 'never',
    exit: 3,
    text: 'the program at the other end could not prove that it belongs to this home',
  },
  pinMismatch: {
    retry: 'never',
    exit: 3,
    text: 'the key of {address} is not the one expected; it may be another machine, or somebody between you. Nothing was sent',
  },
  linkClosed: { retry: 'elsewhere', exit: 7, text: 'the connection was closed' },
  linkSilent: { retry: 'elsewhere', exit: 7, text: 'the other side has been silent for too long' },
  unreachable: { retry: 'elsewhere', exit: 7, text: 'no connection to {address} ({why})' },
  deadline: { retry: 'elsewhere', exit: 7, text: 'no answer within {ms} ms' },
  cancelled: { retry: 'never', exit: 1, text: 'cancelled' },
  busy: { retry: 'later', exit: 1, text: 'too much at once; try again in a moment' },
  rateLimited: { retry: 'later', exit: 3, text: 'too many tries; wait {seconds} s and try again' },
  internal: { retry: 'later', exit: 1, text: 'something went wrong inside Shoal ({why}); the log has more' },

  // Trackers.
  trackerUnreachable: {
    retry: 'later',
    exit: 7,
    text: 'no tracker can be reached ({address}); check that it runs and try again',
  },
  trackerUnknown: {
    retry: 'never',
    exit: 2,
    text: 'no tracker is set; name one with --tracker shoal://…, host:port or tracker_info.txt',
  },
  badTrackerUrl: {
    retry: 'never',
    exit: 2,
    text: '{url} is not a tracker address; expected shoal://PIN@host:port[,host:port], host:port or a tracker_info.txt',
  },
  badLink: { retry: 'never', exit: 2, text: 'this link cannot be used: {why}' },
  otherTracker: {
    retry: 'never',
    exit: 3,
    text: 'this link belongs to another tracker ({address}); sign in there first: shoal --tracker {url} login NAME',
  },
  wrongRealm: {
    retry: 'never',
    exit: 3,
    text: 'the tracker at {address} belongs to another realm ({theirs}) than expected ({ours})',
  },
  badDescriptor: {
    retry: 'never',
    exit: 3,
    text: 'the tracker at {address} showed a realm description that is not signed by its realm',
  },
  badRealmFolder: { retry: 'never', exit: 2, text: '{path} is not a tracker folder: {why}' },
  noLocalPair: {
    retry: 'never',
    exit: 4,
    text: 'there is no tracker pair in {path}; make one with shoal-tracker start_pair',
  },
  trackerNotStarted: { retry: 'later', exit: 1, text: 'tracker {number} did not start ({why}); see {log}' },
  trackerNotStopped: { retry: 'later', exit: 1, text: 'tracker {number} (process {process}) did not end' },
  clocksApart: {
    retry: 'later',
    exit: 1,
    text: 'the clocks of the two trackers are {seconds} s apart; set them right',
  },
  needBoth: { retry: 'later', exit: 7, text: 'this needs both trackers, and one is away; try again when it is back' },
  expired: { retry: 'never', exit: 1, text: 'this was asked for more than a week ago; ask again' },
  retired: { retry: 'elsewhere', exit: 7, text: 'this tracker is no longer in the list of its realm' },
  unavailable: { retry: 'elsewhere', exit: 7, text: 'this tracker cannot answer now ({why})' },

  // Accounts.
  notSignedIn: { retry: 'never', exit: 3, text: 'you are not signed in; use login first' },
  signedInAlready: { retry: 'never', exit: 3, text: 'you are signed in as {user}; log out first' },
  wrongPassword: { retry: 'never', exit: 3, text: 'user name or password is wrong' },
  passwordTooShort: { retry: 'never', exit: 2, text: 'the password needs at least {min} characters' },
  passwordMissing: {
    retry: 'never',
    exit: 2,
    text: 'no password given; type it on a terminal, pipe it in, or set SHOAL_PASSWORD',
  },
  badName: {
    retry: 'never',
    exit: 2,
    text: '{name} cannot be used as a name: 1 to {max} letters, digits, dots, underscores or hyphens',
  },
  nameTaken: { retry: 'never', exit: 3, text: 'the name {name} is taken; choose another' },
  nameKept: {
    retry: 'never',
    exit: 3,
    text: 'an account keeps its name ({name}); only one that got another name, because two were made at once, may choose again',
  },
  tooManyDevices: {
    retry: 'never',
    exit: 3,
    text: 'this account is signed in on {max} devices already; log out on one of them',
  },
  unknownUser: { retry: 'never', exit: 4, text: 'there is no user {user}' },

  // Groups.
  unknownGroup: { retry: 'never', exit: 4, text: 'there is no group {group}' },
  notMember: { retry: 'never', exit: 3, text: 'you are not a member of {group}; ask to join it first' },
  notOwner: { retry: 'never', exit: 3, text: 'only the owner of {group} can do that' },
  memberAlready: { retry: 'never', exit: 3, text: 'you are a member of {group} already' },
  requestedAlready: {
    retry: 'never',
    exit: 3,
    text: 'you have asked to join {group} already; its owner has not answered yet',
  },
  unknownRequest: { retry: 'never', exit: 4, text: 'there is no waiting request of {user} in {group}' },
  ownerCannotBeRemoved: {
    retry: 'never',
    exit: 3,
    text: 'the owner of {group} cannot be removed; the owner can leave it',
  },
  tooManyGroups: { retry: 'never', exit: 3, text: 'an account can be in {max} groups at most' },
  groupFull: { retry: 'never', exit: 3, text: '{group} is full: {max} members and requests at most' },

  // Files and the catalog.
  unknownFile: { retry: 'never', exit: 4, text: 'there is no file {name} in {group}' },
  badFileName: { retry: 'never', exit: 2, text: 'the file name {name} cannot be shared: {why}' },
  fileExists: {
    retry: 'never',
    exit: 3,
    text: '{name} is in {group} already, shared by {user} with other content; share it with --replace to make this its new version',
  },
  notSharer: { retry: 'never', exit: 3, text: 'you do not share {name} in {group}' },
  fileMissing: { retry: 'never', exit: 4, text: 'there is no file {path}' },
  notAFile: { retry: 'never', exit: 2, text: '{path} is neither a regular file nor a folder' },
  maybeSecret: { retry: 'never', exit: 2, text: '{names} may hold secrets; share it with --secrets if that is meant' },
  badFolder: { retry: 'never', exit: 6, text: 'the folder cannot be used: {why}' },
  fileUnreadable: { retry: 'never', exit: 1, text: '{path} cannot be read ({why})' },
  fileChanged: {
    retry: 'elsewhere',
    exit: 6,
    text: '{name} has changed since it was shared; its sharer has to share it again',
  },
  fileTooLarge: { retry: 'never', exit: 2, text: '{path} is larger than {max} bytes' },

  // Peers and pieces.
  noTicket: { retry: 'later', exit: 3, text: 'no valid membership ticket for this group was shown' },
  badTicket: { retry: 'never', exit: 3, text: 'the membership ticket does not count: {why}' },
  notServed: { retry: 'elsewhere', exit: 4, text: 'this peer does not serve that file' },
  pieceNotHeld: { retry: 'elsewhere', exit: 4, text: 'this peer does not have piece {piece}' },
  wrongPiece: {
    retry: 'elsewhere',
    exit: 6,
    text: 'piece {piece} from {peer} failed verification; that peer is left alone',
  },
  // Retired: no version has raised it. Still read, because a code on the wire keeps its name.
  wrongHashes: {
    retry: 'elsewhere',
    exit: 6,
    text: 'the piece hashes from {peer} do not lead to the root of the file; that peer is left alone',
  },

  // Downloads.
  nobodyHasIt: {
    retry: 'later',
    exit: 5,
    text: 'nobody who is online has {name}; it goes on by itself when somebody comes',
  },
  nobodyServes: {
    retry: 'later',
    exit: 5,
    text: 'nobody who is online gives {name} now; try again when somebody comes who has it',
  },
  newerVersion: { retry: 'never', exit: 4, text: 'there is a newer version of {name} in {group}; open it again' },
  tooMuchAtOnce: {
    retry: 'never',
    exit: 2,
    text: '{bytes} bytes of {name} are too many to be read at once; {max} can be',
  },
  destinationExists: {
    retry: 'never',
    exit: 1,
    text: '{path} exists already; nothing was overwritten. Name another place or use --rename',
  },
  destinationUnwritable: { retry: 'never', exit: 1, text: '{path} cannot be written ({why})' },
  diskFull: {
    retry: 'later',
    exit: 1,
    text: 'the disk that holds {path} is full; the download goes on when there is room',
  },
  placeGone: {
    retry: 'later',
    exit: 1,
    text: 'the folder or drive of {path} is gone; the download goes on when it is back',
  },
  syncFailed: {
    retry: 'later',
    exit: 1,
    text: 'the disk could not keep what was written to {path} ({why}); what it kept before is still good. Resume the download to go on',
  },
  unknownDownload: { retry: 'never', exit: 4, text: 'there is no download of {name} in {group}' },
  integrity: {
    retry: 'never',
    exit: 6,
    text: '{path} is not what was shared: expected SHA-256 {expected}, found {found}',
  },

  // The engine and its home.
  usage: { retry: 'never', exit: 2, text: '{why}' },
  homeUnusable: { retry: 'never', exit: 1, text: 'the folder {path} cannot be used ({why})' },
  newerFormat: {
    retry: 'never',
    exit: 1,
    text: '{path} was written by a newer Shoal (format {format}); update this one',
  },
  damagedFile: { retry: 'never', exit: 1, text: '{path} is damaged ({why}); it was kept as it is' },
  engineUnreachable: { retry: 'later', exit: 1, text: 'the engine of {home} does not answer ({why}); see {log}' },
  engineNewer: {
    retry: 'never',
    exit: 1,
    text: 'the engine of {home} is Shoal {theirs}, this is {ours}; update this one, or end the engine with `shoal stop` first',
  },
  listenFailed: { retry: 'never', exit: 1, text: 'cannot listen on {address} ({why}); choose another with --listen' },

  /** A code of a newer version; its own text came with it. */
  other: { retry: 'later', exit: 1, text: '{text}' },
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof rows;
export type ErrorFields = Readonly<Record<string, string | number>>;

/** Whether a text that came over a link is a code we know. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(rows, text);

/** The row of a code. */
export const errorRow = (code: ErrorCode): Row => rows[code];

/** What went wrong, for programs (`code`, `fields`) and people (`message`). */
export class ShoalError extends Error {
  override readonly name = 'ShoalError';
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, fields: ErrorFields = {}, options?: { readonly cause?: unknown }) {
    super(sentence(code, fields), options);
    this.code = code;
    this.fields = fields;
  }

  get retry(): Row['retry'] {
    return errorRow(this.code).retry;
  }

  get exitCode(): Row['exit'] {
    return errorRow(this.code).exit;
  }
}

/** Whether an error is a ShoalError, of the given code if one is named. */
export function isShoalError(error: unknown, code?: ErrorCode): error is ShoalError {
  return error instanceof ShoalError && (code === undefined || error.code === code);
}

/**
 * Any thrown thing as a ShoalError; what is none becomes `internal` with the original as its cause.
 */
export function asShoalError(error: unknown): ShoalError {
  if (error instanceof ShoalError) return error;
  return new ShoalError('internal', { why: error instanceof Error ? error.message : String(error) }, { cause: error });
}

/** The code of a Node.js system error (`ENOENT`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

function sentence(code: ErrorCode, fields: ErrorFields): string {
  return errorRow(code).text.replace(/\{(\w+)\}/g, (_, name: string) => printable(String(fields[name] ?? '?')));
}

/**
 * A text that came from elsewhere, made safe to print: control characters, line separators and
 * direction overrides become visible escapes, so that a name cannot move the cursor, hide text or
 * forge a second line.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}\uFEFF]/gu,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
