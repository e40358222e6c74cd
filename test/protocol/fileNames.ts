// File names, by what is wrong with them or what they have to be allowed to have. New attacks and new complaints are added here.

const each = (names: readonly string[], make: (name: string) => string): string[] => names.map(make);
const DEVICES = ['con', 'prn', 'aux', 'nul', 'clock$', 'conin$', 'conout$', 'com0', 'com1', 'com9', 'lpt0', 'lpt1', 'lpt9', 'com¹', 'com²', 'com³', 'lpt¹', 'lpt²', 'lpt³'];
const TRUSTED = ['.git', '.vscode', '.idea', '.husky', '.ssh', '.shoal', '.shoal-parts', '.shoalrc'];
const BIDI = ['\u061c', '\u200e', '\u200f', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'];
/** Invisible characters, a few of each family. */
const INVISIBLE = [
  '\u00ad', '\u034f', '\u115f', '\u1160', '\u17b4', '\u180b', '\u180e', '\u200b', '\u2060', '\u2061', '\u2064', '\u206a', '\u3164', '\ufe00', '\ufe0d', '\ufeff', '\uffa0',
  '\u{1d173}', '\u{e0001}', '\u{e0020}', '\u{e007f}', '\u{e0100}', '\u{e01ef}',
];
const CONTROLS = ['\0', '\x01', '\x07', '\b', '\t', '\n', '\v', '\f', '\r', '\x1b', '\x1f', '\x7f', '\x80', '\x85', '\x9b', '\x9f', '\u2028', '\u2029'];
const SPACES = [' ', '\u00a0', '\u1680', '\u2000', '\u2009', '\u200a', '\u202f', '\u205f', '\u3000'];
const RESERVED = ['<', '>', ':', '"', '|', '?', '*', '\\'];

export const evil: Readonly<Record<string, readonly string[]>> = {
  'being empty or having an empty part': ['', '/', '//', '/a', 'a/', 'a//b', '/../a', '///'],
  'leaving its folder': [
    '.', '..', '../a', 'a/..', 'a/../b', 'a/../../b', './a', 'a/./b', 'a/.', '../../../../etc/passwd', '/etc/passwd', '..\\a', 'a\\..\\b', '..\\..\\Windows\\System32\\a.dll',
    '\\a', '\\\\server\\share\\a', '\\\\?\\C:\\a', '\\\\.\\PhysicalDrive0', 'C:', 'C:a', 'C:\\a', 'C:/a', 'c:..\\a', 'file:///etc/passwd', '//server/share/a', '/dev/null',
    '....', '...', '.. ', '.. /a', '../ a', ' ../a', '..\u200d/a', '.\u200d./a', '\u200d../a', '..\ufe0f/a', '.\u200c', '\u200c.', '..\0/a', '..\u202e/a',
  ],
  'naming a device on Windows': [
    ...DEVICES, ...each(DEVICES, (name) => name.toUpperCase()), ...each(DEVICES, (name) => `${name}.txt`), ...each(DEVICES, (name) => `folder/${name}.tar.gz`),
    'nul/a', 'a/CON/b', 'con .txt', 'nul  .a.b', 'Com1.', 'aux.', 'com1\u00a0.txt',
  ],
  'naming a stream or a drive of NTFS': ['a:b', 'a.txt::$DATA', 'a.txt:hidden', ':a', 'a:', 'folder::$INDEX_ALLOCATION/a', '.git::$INDEX_ALLOCATION', 'a/b:c'],
  'what not every system allows': [...each(RESERVED.filter((char) => char !== ':'), (char) => `a${char}b`), ...each(RESERVED, (char) => `x/${char}`), 'what?.txt', 'a"b"', '<b>', 'a|b|c', '*.*'],
  'a space or dot where systems drop them': [
    'a.', 'a..', 'a...', 'a ', 'a. ', 'a .', 'a./b', 'a /b', 'x/y.', ' a', 'a/ b', '  ', '. a ', ...each(SPACES, (space) => `end${space}`), ...each(SPACES, (space) => `${space}begin`),
  ],
  'control characters': each(CONTROLS, (char) => `a${char}b`),
  'turning the direction of text': [...each(BIDI, (char) => `a${char}b`), 'photo\u202egpj.exe', 'x/y\u2066z'],
  'invisible characters': [...each(INVISIBLE, (char) => `a${char}b`), 'pay\u200bload.txt', '\u3164', '\u{e0061}'],
  'being invisible altogether': ['\u200d', '\u200c\u200d', '\ufe0f', 'a/\u200d', '\u200c/b', '\ufe0e\ufe0f'],
  'half a character': ['\ud800', 'a\udc00', '\ud83d.txt', '\udc1f\ud83d', 'x/\ud800y'],
  'another form of accents (NFD and the like)': ['e\u0301.txt', 'cafe\u0301', 'A\u030a', '\u212b', '\u1112\u1161\u11ab', '\u0340', 'x/n\u0303', '\u2126', '\u2f800', '\u0344'].filter((name) => name !== '\u2f800'),
  'being too long': ['x'.repeat(256), `a/${'x'.repeat(256)}`, 'é'.repeat(128), '\u{1F41F}'.repeat(64), `${`${'x'.repeat(200)}/`.repeat(5)}${'y'.repeat(20)}`, `${'a/'.repeat(16)}b`],
  'a folder that other programs trust': [
    ...TRUSTED, ...each(TRUSTED, (name) => `${name}/a`), ...each(TRUSTED, (name) => name.toUpperCase()),
    '.Git/hooks/post-checkout', '.vsCode/tasks.json', '.ssh/authorized_keys', '.g\u200cit/config', '.gi\u200dt', '\u200c.git/hooks/x', '.git\ufe0f/a', '.vs\u200dcode/tasks.json', 'git~1/config', 'GIT~1', 'Git~2/hooks/x',
  ],
};

export const good: Readonly<Record<string, readonly string[]>> = {
  'letters of all the world': [
    'a', 'README.md', 'données.csv', 'Straße.txt', 'Ελληνικά.pdf', 'Русский.docx', '日本語.txt', '中文/文件.txt', '한국어.hwp', 'עברית.txt', 'العربية.pdf', 'हिन्दी.txt', 'தமிழ்.txt', 'ภาษาไทย.doc', 'አማርኛ.txt',
    'Tiếng Việt.md', 'Ålesund', 'ﬁ', 'ｆｕｌｌ', '１２３', '①②③', '²',
  ],
  'joiners where a script needs them': ['می\u200cخواهم.txt', 'نمی\u200cدانم/کتاب\u200cها.pdf', 'क्\u200dष.txt', 'ක්\u200dෂ.txt', 'നന്\u200d.txt'],
  'emoji, also those put together of several': [
    '\u{1F41F}.txt', '👩\u200d💻.md', '👨\u200d👩\u200d👧\u200d👦', '❤\ufe0f', '❤\ufe0e.txt', '🏳\ufe0f\u200d🌈/a', '👍🏽', '🇫🇷', '1\ufe0f\u20e3', '☁\ufe0f backup.tar',
  ],
  'spaces and dots inside': ['a b', 'a  b.txt', 'a.b.c', 'My Documents/My File.txt', 'a\u00a0b', 'a\u3000b', 'x . y', '.a', '..a', '...a', 'a..b', '.hidden/file', 'v1.2.3.tar.gz', 'a.b c/d'],
  'signs that all systems allow': ["it's", 'a,b', 'a;b', 'a=b', 'a+b', 'a&b', 'a@b', 'a!b', '#1', '50%', '%2e%2e', '$HOME', '~', '~root', 'a~1', '(1)', '[x]', '{y}', '^', '`x`', '-rf', '--help', '_', '"'.repeat(0) + 'name (2)', 'a–b', 'a…', '½'],
  'names that only look like devices': ['console', 'con1', 'a.con', 'null', 'nul1', 'auxiliary.txt', 'com', 'com10', 'com１', 'lpt', 'lptx', 'prn-2', 'xcon', 'clock', 'conin', 'com⁴'],
  'names that only look like trusted folders': ['.gitignore', '.gitattributes', '.github/workflows/a.yml', 'git/hooks', 'a/.git', '.vscodeignore', 'x.git', '.sshd', '.env', 'gitx~1', 'digit~1', '.ideas'],
  'as many bytes and folders as are allowed': ['x'.repeat(255), 'é'.repeat(127), '\u{1F41F}'.repeat(63), `${'a/'.repeat(15)}b`, `${`${'x'.repeat(250)}/`.repeat(4)}${'y'.repeat(20)}`],
  'names that objects have': ['__proto__', 'constructor', 'toString', 'hasOwnProperty/valueOf'],
};
