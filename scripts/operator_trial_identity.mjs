// An outside OpenID Connect provider for scripts/operator_trial.py, as docs/operators.md asks for one.
//
//   node operator_trial_identity.mjs SETTINGS.json     (run where the package oidc-provider is installed)
//
// The people and programs of SETTINGS are invented; its pages for login take any password.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.cwd()}/`));
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));
const told = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const claims = Object.keys(Object.values(told.people)[0]);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(told.issuer, {
  clients: [
    {
      client_id: told.client_id,
      client_secret: told.client_secret,
      redirect_uris: [`${told.public_url}/login/callback`],
      post_logout_redirect_uris: [`${told.public_url}/logout`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    ...Object.entries(told.programs).map(([id, program]) => ({
      client_id: id,
      client_secret: program.secret,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    })),
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'trial' }] },
  cookies: { keys: [told.client_secret] },
  scopes: ['openid', 'polku'],
  claims: { openid: ['sub'], polku: claims },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        audience: told.audience,
        scope: 'polku',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  findAccount: (_, id) => (id in told.people
    ? { accountId: id, claims: async () => ({ sub: id, ...told.people[id] }) }
    : undefined),
  extraTokenClaims: (_, token) => told.programs[token.clientId]?.claims,
});
provider.listen(told.port, '127.0.0.1', () => console.log('listening'));
