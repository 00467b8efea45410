// An OpenID provider for a test: one client that knows the redirect URIs of the first argument, a JSON list, behind the
// address of the second. Tells its port on stdout and ends when its stdin does.

import { Provider } from 'oidc-provider';

const [redirectUris, issuer] = process.argv.slice(2);
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'c',
    client_secret: 'a secret of the test that opens nothing',
    redirect_uris: JSON.parse(redirectUris),
  }],
  // MAS uses it where it can, and may do without it.
  pkce: { required: () => false },
});
// TLS ends before it.
provider.proxy = true;
const server = provider.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
