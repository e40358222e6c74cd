// What is taken for a secret before it is shared: by name, by the first bytes, and in real folders.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createNodeDisk } from '../../../protocol/node/nodeDisk.ts';
import { HEAD_BYTES, secretByHead, secretByName, findSecrets } from '../../../protocol/frontend/secretDetection.ts';

describe('secrets', () => {
  const named: Readonly<Record<string, readonly string[]>> = {
    environment: ['.env', '.env.local', '.ENV.Production', '.envrc', 'deploy/prod.env'],
    privateKey: ['id_rsa', 'keys/id_ed25519', 'id_ecdsa_sk', 'server.p12', 'team.PFX', 'a.jks', 'putty.ppk'],
    credentials: [
      '.npmrc',
      '.netrc',
      '.pypirc',
      '.git-credentials',
      '.aws/credentials',
      'home/.docker/config.json',
      '.kube/config',
      'credentials.json',
      'service-account-prod.json',
      'secrets.yaml',
      'terraform.tfstate',
    ],
    passwords: ['team.kdbx', 'logins.json', 'key4.db'],
    undefined: [
      '.env.example',
      '.env.sample',
      'environment.md',
      'id_rsa.pub',
      'dump.sql',
      'key.txt',
      'config.json',
      'credentials',
      'monkey.db',
      'model.pem.md',
      'データ.csv',
      'a.keynote',
      'secretsauce.json',
    ],
  };
  for (const [kind, names] of Object.entries(named)) {
    it(`${kind === 'undefined' ? 'are not seen in' : `are ${kind} in`} ${names.join(', ')}`, () =>
      assert.deepEqual(
        names.map((name) => String(secretByName(name))),
        names.map(() => kind),
      ));
  }

  const head = (text: string): string => String(secretByHead(Buffer.from(text)));
  it('are seen in what a key begins with, and not in a certificate or a public key', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const dashes = '-'.repeat(5); // written so that nothing takes this file for one that holds a key
    assert.deepEqual(
      [
        privateKey,
        `# note\n${privateKey}`,
        `${dashes}BEGIN OPENSSH PRIVATE KEY${dashes}`,
        `${dashes}BEGIN PGP PRIVATE KEY BLOCK${dashes}`,
        'PuTTY-User-Key-File-3: ssh-ed25519',
      ].map(head),
      Array.from({ length: 5 }, () => 'privateKey'),
    );
    assert.deepEqual(
      [
        publicKey,
        `${dashes}BEGIN CERTIFICATE${dashes}`,
        'a text about a PRIVATE KEY',
        '',
        `${' '.repeat(HEAD_BYTES)}${privateKey}`,
      ].map(head),
      Array.from({ length: 5 }, () => 'undefined'),
    );
  });

  it('are found in folders, not behind links, not in what is never shared, and what cannot be read is passed by', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'shoal-secrets-'));
    const write = (name: string, content = 'x'): void => {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), content);
    };
    try {
      write('project/readme.md');
      write('project/deep/er/.env');
      write(
        'project/server.key',
        generateKeyPairSync('rsa', {
          modulusLength: 2048,
          privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
          publicKeyEncoding: { type: 'spki', format: 'pem' },
        }).privateKey,
      );
      write('project/.git/id_rsa');
      write('outside/id_rsa');
      fs.symlinkSync(path.join(folder, 'outside'), path.join(folder, 'project/link'));
      const { found, isWhole } = await findSecrets(createNodeDisk(), path.join(folder, 'project'));
      assert.deepEqual(
        [isWhole, [...found].sort((a, b) => (a.path < b.path ? -1 : 1))],
        [
          true,
          [
            { path: 'deep/er/.env', kind: 'environment' },
            { path: 'server.key', kind: 'privateKey' },
          ],
        ],
      );
      assert.deepEqual((await findSecrets(createNodeDisk(), path.join(folder, 'outside/id_rsa'))).found, [
        { path: 'id_rsa', kind: 'privateKey' },
      ]);
      assert.deepEqual((await findSecrets(createNodeDisk(), path.join(folder, 'nothing'))).found, []);
      write('.aws/credentials');
      for (const shared of ['.aws', '.aws/credentials']) {
        assert.deepEqual((await findSecrets(createNodeDisk(), path.join(folder, shared))).found, [
          { path: 'credentials', kind: 'credentials' },
        ]);
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('are at most a hundred, said to be not all', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'shoal-secrets-'));
    try {
      for (let n = 0; n < 120; n++) fs.writeFileSync(path.join(folder, `${n}.env`), '');
      const { found, isWhole } = await findSecrets(createNodeDisk(), folder);
      assert.deepEqual([found.length, isWhole], [100, false]);
      const stop = AbortSignal.abort();
      assert.deepEqual((await findSecrets(createNodeDisk(), folder, stop)).found, []);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
