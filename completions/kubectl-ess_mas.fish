# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kubectl_ess_mas_global_optspecs
    string join \n kubeconfig= context= cluster= user= n/namespace= s/server= tls-server-name= insecure-skip-tls-verify certificate-authority= client-certificate= client-key= as= as-uid= as-group= request-timeout= color= v q/quiet h/help V/version
end

function __fish_kubectl_ess_mas_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kubectl_ess_mas_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kubectl_ess_mas_using_subcommand
    set -l cmd (__fish_kubectl_ess_mas_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -s V -l version -d 'Print version'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "status" -d 'Show the state of the migration and the next step'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "check" -d 'Check whether the deployment is ready for the migration'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "prepare" -d 'Configure MAS and create its Secret; doesn\'t modify the ElementDeployment'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "dry-run" -d 'Add MAS without activating it and wait for the operator\'s dry run'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "activate" -d 'Start the migration; reversible only by restoring a backup'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "abort" -d 'Roll back an unfinished migration'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "verify" -d 'Test MAS, Synapse and the identity providers over the network'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "tls" -d 'Issue, request and check certificates for the MAS host'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "report" -d 'Collect data for support in one file, without secrets'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "completion" -d 'Print a shell completion script'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "version" -d 'Print the version'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s A -l all-namespaces -d 'List the deployments of the whole cluster'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s w -l watch -d 'Print a line for every change until interrupted'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand status" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l explain -d 'Explain the code of a finding or of a cause, without connecting to a cluster' -r -f -a "saml-not-supported\t'SAML logins'
cas-not-supported\t'CAS logins'
jwt-not-supported\t'logins with JSON Web Tokens'
group-sync-not-supported\t'GroupSync'
ldap-needs-release\t'LDAP requires ESS Classic 25.10.1'
ldap-only\t'passwords are checked by LDAP or another password provider only'
idp-id-missing\t'an identity provider without idpId'
idp-id-duplicate\t'two identity providers with the same idpId'
idp-id-not-ulid\t'an idpId that MAS does not keep unchanged'
oidc-restriction-lost\t'a restriction on who may log in is not migrated'
oidc-setting-lost\t'a setting of an identity provider is not migrated'
password-pepper\t'peppered passwords'
mas-email\t'e-mail that MAS has to send'
certificate\t'the certificate for MAS\'s host'
certificate-missing\t'a certificate is not where the TLS mode expects it'
certificate-unreadable\t'the certificate cannot be read'
certificate-key-unreadable\t'the private key cannot be used'
certificate-layout\t'servers cannot read the layout of the certificate or key'
certificate-secret-type\t'the Secret for TLS mode `existing` is not a TLS Secret'
certificate-unknown\t'the certificate could not be checked'
certificate-trust\t'the certificate is trusted without special configuration'
tls-endpoint\t'no TLS server at MAS\'s host'
cluster-issuer\t'cert-manager\'s ClusterIssuer exists and is ready'
certificate-host-mismatch\t'the certificate does not name MAS\'s host'
certificate-wildcard-scope\t'the certificate\'s wildcard does not cover MAS\'s host'
certificate-common-name-only\t'the host is not among the alternative names'
certificate-not-yet-valid\t'the certificate is not valid yet'
certificate-expired\t'the certificate has expired'
certificate-root-expired\t'a certificate in the file that no client needs has expired'
certificate-expires-soon\t'the certificate expires within 30 days'
certificate-valid-too-long\t'the certificate is valid for more than 825 days'
certificate-not-first\t'the host\'s certificate is not the first in the file'
certificate-chain-order\t'the chain is not in order'
certificate-chain-incomplete\t'the intermediate certificates are missing'
certificate-unrelated\t'a certificate in the file is not part of the chain'
certificate-chain-broken\t'a certificate was not signed by the next one'
certificate-key-mismatch\t'the private key does not belong to the certificate'
certificate-key-weak\t'the RSA key has fewer than 2048 bits'
certificate-key-unusual\t'not every client supports this key type'
certificate-signature-weak\t'the certificate is signed with an outdated algorithm'
certificate-self-signed\t'the certificate is self-signed'
certificate-is-ca\t'the host\'s certificate is the certificate of a CA'
certificate-issuer-not-ca\t'an issuer in the chain is not a CA'
certificate-path-length\t'the chain is longer than a CA allows'
certificate-not-for-servers\t'the certificate is not for TLS servers'
certificate-usage-unstated\t'the certificate does not state that it is for TLS servers'
certificate-key-usage\t'the certificate\'s key usage does not allow digital signatures'
certificate-name-constraints\t'the CA\'s name constraints exclude a name of the certificate'
certificate-with-private-key\t'the certificate file holds a private key'
certificate-critical-extension\t'a critical extension that TLS clients do not support'
certificate-malformed\t'a certificate that breaks the rules but can be read'
certificate-cross-signed\t'two certificates of one CA in the chain, from different issuers'
database-reachable\t'the database responds, and is a PostgreSQL server'
database-login\t'the database accepts the login of the spec and its Secret'
database-sslmode\t'the connection to the database is protected as sslMode says'
database-timeouts\t'time limits of the server on what MAS and syn2mas do'
mas-database-version\t'the PostgreSQL release of MAS\'s database'
mas-database-empty\t'MAS\'s database is empty'
mas-database-rights\t'MAS\'s role may create and change its tables'
mas-database-pg-trgm\t'the extension pg_trgm is installed, or MAS may create it'
mas-database-encoding\t'the encoding of MAS\'s database is UTF8'
mas-database-connections\t'MAS\'s database accepts enough connections'
synapse-database-tables\t'Synapse\'s tables are in the database that the spec names'
synapse-database-guests\t'guests in Synapse\'s database'
synapse-database-threepids\t'phone numbers and other addresses in Synapse\'s database'
synapse-database-providers\t'the identity providers that users are linked to are configured'
synapse-database-delegated\t'rows of an earlier delegation to MAS in Synapse\'s database'
synapse-database-server-name\t'all users belong to this server name'
synapse-database-orphans\t'devices, tokens, addresses and links of users who do not exist'
synapse-database-no-login\t'users who cannot log in to MAS'
synapse-database-size\t'the number of rows to copy'
backup-file\t'the dump that you named as the backup'
manifest-owned-by-helm\t'Helm owns the manifest'
manifest-owned-by-installer\t'the vendor\'s installer owns the manifest'
manifest-owned-by-gitops\t'Argo CD, Flux or another tool owns the manifest and restores its own version'
manifest-applied\t'the manifest was applied from a file with other values'
permissions\t'the permissions that the steps require'
permission-to-follow\t'the permission to watch the ElementDeployment'
api-version\t'the version in which the API server serves ElementDeployments'
mas-supported\t'the ElementDeployment of this release has the field `config.active`'
release-too-old\t'the installed release is too old to migrate'
rehearsal\t'a dry run has passed for the current state'
rehearsal-old\t'the dry run is old, or of an earlier release'
record\t'the record of the earlier steps can be read'
encryption-secret-lost\t'the encryption secret that MAS used is missing'
encryption-secret-weak\t'an encryption secret that can be guessed'
mas-reachable\t'MAS\'s host is reachable from where the command runs'
mas-discovery\t'MAS\'s discovery document, /.well-known/openid-configuration'
mas-issuer\t'MAS\'s issuer is https://HOST/, with the slash'
mas-signing-key\t'MAS publishes the RSA key of its Secret at /oauth2/keys.json'
mas-login-page\t'MAS shows its login page, for which it reads its database'
idp-at-mas\t'MAS can start a login through this identity provider'
idp-redirect-uri\t'the identity provider knows MAS\'s redirect URI'
idp-offered\t'Synapse offers the identity providers of the spec'
synapse-reachable\t'Synapse responds at its host'
synapse-auth-metadata\t'Synapse names no issuer before the migration, and MAS\'s issuer after it'
synapse-login\t'Synapse handles login requests before the migration, and MAS after it'
synapse-asks-mas\t'every process of Synapse can validate tokens with MAS'
old-token\t'an access token from before the migration still names its user and device'
new-login\t'a test account logs in with its password, and logs out again'
well-known-client\t'the contents of https://SERVER-NAME/.well-known/matrix/client'
outside-hosts\t'the spec names the hosts to check'
outside-route\t'the route from a host to a pod, with --through-cluster'
mas-settings\t'MAS\'s settings fit the schema'
mas-host-taken\t'another component or Ingress uses MAS\'s host'
mas-host-unresolved\t'MAS\'s host resolves'
mas-database-is-synapses\t'MAS\'s database belongs to Synapse or another component'
mas-database-role\t'MAS with another component\'s database role'
mas-database-host\t'a database host that is the pod itself'
database-pooler\t'a connection pooler in front of a database'
mas-database-tls\t'TLS between MAS and its database'
tls-mode\t'where MAS\'s certificate comes from'
mas-secret\t'MAS\'s Secret'
mas-secret-managed\t'a Secret that another tool writes'
component-secret\t'the other components\' Secrets'
bots-and-bridges\t'bots and bridges'
admin-tools\t'tools for administrators'
available\t'the condition Available'
successful\t'the condition Successful: the outcome of the operator\'s last reconcile'
run-under-way\t'a reconcile is in progress'
already-migrated\t'the migration is complete, or was never needed'
migration-under-way\t'MAS is activated, but the migration is not complete'
being-deleted\t'the ElementDeployment is being deleted'
name-too-long\t'the deployment\'s name has more than 25 characters'
operator-running\t'the operator has a ready pod'
reconcile-period\t'the operator cannot read its annotation reconcile-period'
synapse-settings\t'Synapse\'s settings contain nothing that MAS excludes'
synapse-config-unreadable\t'free-form settings that cannot be read'
synapse-duplicate-key\t'a duplicate key'
synapse-password-login\t'`password_config.enabled` in free-form settings'
synapse-password-module\t'a module that checks passwords'
synapse-registration\t'registration at Synapse'
synapse-captcha\t'a CAPTCHA at registration'
synapse-user-consent\t'consent to terms'
synapse-3pid-changes\t'users change their e-mail addresses at Synapse'
synapse-login-via-existing-session\t'a session can log in another session'
synapse-session-lifetime\t'logins that expire'
synapse-oidc-free-form\t'OIDC providers in free-form settings'
synapse-delegates-already\t'Synapse delegates logins already'
synapse-guests\t'guests'
synapse-database\t'Synapse\'s database settings in free-form settings'
synapse-database-tls\t'syn2mas does not verify the certificate of Synapse\'s database'
guests-enabled\t'a cause of a failed dry run or migration'
account-changes-enabled\t'a cause of a failed dry run or migration'
login-via-existing-session\t'a cause of a failed dry run or migration'
password-scheme-missing\t'a cause of a failed dry run or migration'
password-scheme-not-bcrypt\t'a cause of a failed dry run or migration'
password-pepper-differs\t'a cause of a failed dry run or migration'
server-name-differs\t'a cause of a failed dry run or migration'
provider-missing-in-synapse\t'a cause of a failed dry run or migration'
mapping-of-earlier-mas\t'a cause of a failed dry run or migration'
provider-missing-in-mas\t'a cause of a failed dry run or migration'
synapse-table-locked\t'a cause of a failed dry run or migration'
mas-database-not-empty\t'a cause of a failed dry run or migration'
pg-trgm-missing\t'a cause of a failed dry run or migration'
mas-database-of-other-release\t'a cause of a failed dry run or migration'
another-migration-runs\t'a cause of a failed dry run or migration'
not-a-mas-database\t'a cause of a failed dry run or migration'
mas-database-half-reset\t'a cause of a failed dry run or migration'
connection-pooler\t'a cause of a failed dry run or migration'
synapse-database-unreachable\t'a cause of a failed dry run or migration'
mas-database-unreachable\t'a cause of a failed dry run or migration'
database-login-refused\t'a cause of a failed dry run or migration'
mas-schema-failed\t'a cause of a failed dry run or migration'
row-without-account\t'a cause of a failed dry run or migration'
account-of-another-server\t'a cause of a failed dry run or migration'
malformed-user-id\t'a cause of a failed dry run or migration'
provider-without-mapping\t'a cause of a failed dry run or migration'
constraints-not-restored\t'a cause of a failed dry run or migration'
disk-full\t'a cause of a failed dry run or migration'
too-many-connections\t'a cause of a failed dry run or migration'
statement-timeout\t'a cause of a failed dry run or migration'
standby-database\t'a cause of a failed dry run or migration'
database-connection-ended\t'a cause of a failed dry run or migration'
copying-failed\t'a cause of a failed dry run or migration'
echo-of-another-error\t'a cause of a failed dry run or migration'
encryption-secret-form\t'a cause of a failed dry run or migration'
signing-key-unreadable\t'a cause of a failed dry run or migration'
synapse-configuration-unreadable\t'a cause of a failed dry run or migration'
synapse-not-on-postgres\t'a cause of a failed dry run or migration'
synapse-database-named-twice\t'a cause of a failed dry run or migration'
mas-configuration-invalid\t'a cause of a failed dry run or migration'
output-hidden\t'a cause of a failed dry run or migration'
global-secret-missing\t'a cause of a failed dry run or migration'
shared-secret-missing\t'a cause of a failed dry run or migration'
component-secrets-missing\t'a cause of a failed dry run or migration'
secret-keys-missing\t'a cause of a failed dry run or migration'
image-digests-missing\t'a cause of a failed dry run or migration'
child-secret-missing\t'a cause of a failed dry run or migration'
child-secret-key-missing\t'a cause of a failed dry run or migration'
media-volume-missing\t'a cause of a failed dry run or migration'
workers-not-supported\t'a cause of a failed dry run or migration'
ingress-host-taken\t'a cause of a failed dry run or migration'
conversion-webhook-unreachable\t'a cause of a failed dry run or migration'
webhook-unreachable\t'a cause of a failed dry run or migration'
admission-refused\t'a cause of a failed dry run or migration'
quota-exceeded\t'a cause of a failed dry run or migration'
operator-trouble\t'a cause of a failed dry run or migration'
registration-enabled\t'a cause of a failed dry run or migration'
user-consent-enabled\t'a cause of a failed dry run or migration'
terms-not-ported\t'a cause of a failed dry run or migration'
captcha-not-ported\t'a cause of a failed dry run or migration'
cas-configured\t'a cause of a failed dry run or migration'
saml-configured\t'a cause of a failed dry run or migration'
jwt-configured\t'a cause of a failed dry run or migration'
password-provider-configured\t'a cause of a failed dry run or migration'
oidc-mapped-by-hand\t'a cause of a failed dry run or migration'
guests-in-database\t'a cause of a failed dry run or migration'
phone-numbers-in-database\t'a cause of a failed dry run or migration'
synapse-refuses-setting\t'a cause of a failed dry run or migration'
synapse-refuses-module\t'a cause of a failed dry run or migration'
synapse-refuses-msc3861\t'a cause of a failed dry run or migration'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l resolve -d 'Connect to this address for a database host, instead of resolving it; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l ca-certificate -d 'File with the CAs to trust for sslMode verify-ca and verify-full, instead of the system\'s' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l rbac -d 'Print the minimum Role for the migration'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l databases -d 'Check the databases of MAS and Synapse in a read-only transaction, with the credentials of the deployment'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l through-cluster -d 'Connect through port-forwards to the pods behind the databases\' Services'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand check" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l host -d 'Fully qualified domain name of MAS' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l database-host -d 'Host of the PostgreSQL server for MAS' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l database-port -d 'Port of the PostgreSQL server for MAS [default: 5432]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l database-name -d 'PostgreSQL database of MAS; not Synapse\'s' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l database-user -d 'PostgreSQL role of MAS' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l database-sslmode -d 'sslmode of the connection to PostgreSQL, such as require' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l database-password-file -d 'File with the password of the PostgreSQL role; - for standard input' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l secret-name -d 'Secret of MAS [default: the one in the ElementDeployment, or NAME-mas]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l encryption-secret-file -d 'File with the encryption secret, instead of generating one; - for standard input' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l rsa-private-key-file -d 'File with the RSA private key, instead of generating one; - for standard input' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l replace -d 'Key of the Secret whose value to replace; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l tls -d 'Source of the MAS certificate [default: inherit]' -r -f -a "inherit\t'The mode in spec.global.k8s.ingresses.tls'
external\t'TLS terminates in front of the ingress'
certmanager\t'cert-manager, with --issuer'
existing\t'The Secret in --tls-secret'
certfile\t'The files in --certificate and --private-key'
issue\t'Issue a certificate now, from --ca-certificate or a new private CA'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l issuer -d 'ClusterIssuer for cert-manager' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l tls-secret -d 'Existing Secret of type kubernetes.io/tls' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l certificate -d 'File with the certificate and its intermediates, in PEM' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l private-key -d 'File with the private key of the certificate, in PEM' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l ca-certificate -d 'File with the certificate of the issuing CA, for --tls issue' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l ca-private-key -d 'File with the private key of the issuing CA' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l accept -d 'Warning codes to accept in non-interactive runs' -r -f -a "saml-not-supported\t'SAML logins'
cas-not-supported\t'CAS logins'
jwt-not-supported\t'logins with JSON Web Tokens'
group-sync-not-supported\t'GroupSync'
ldap-needs-release\t'LDAP requires ESS Classic 25.10.1'
ldap-only\t'passwords are checked by LDAP or another password provider only'
idp-id-missing\t'an identity provider without idpId'
idp-id-duplicate\t'two identity providers with the same idpId'
idp-id-not-ulid\t'an idpId that MAS does not keep unchanged'
oidc-restriction-lost\t'a restriction on who may log in is not migrated'
oidc-setting-lost\t'a setting of an identity provider is not migrated'
password-pepper\t'peppered passwords'
mas-email\t'e-mail that MAS has to send'
certificate\t'the certificate for MAS\'s host'
certificate-missing\t'a certificate is not where the TLS mode expects it'
certificate-unreadable\t'the certificate cannot be read'
certificate-key-unreadable\t'the private key cannot be used'
certificate-layout\t'servers cannot read the layout of the certificate or key'
certificate-secret-type\t'the Secret for TLS mode `existing` is not a TLS Secret'
certificate-unknown\t'the certificate could not be checked'
certificate-trust\t'the certificate is trusted without special configuration'
tls-endpoint\t'no TLS server at MAS\'s host'
cluster-issuer\t'cert-manager\'s ClusterIssuer exists and is ready'
certificate-host-mismatch\t'the certificate does not name MAS\'s host'
certificate-wildcard-scope\t'the certificate\'s wildcard does not cover MAS\'s host'
certificate-common-name-only\t'the host is not among the alternative names'
certificate-not-yet-valid\t'the certificate is not valid yet'
certificate-expired\t'the certificate has expired'
certificate-root-expired\t'a certificate in the file that no client needs has expired'
certificate-expires-soon\t'the certificate expires within 30 days'
certificate-valid-too-long\t'the certificate is valid for more than 825 days'
certificate-not-first\t'the host\'s certificate is not the first in the file'
certificate-chain-order\t'the chain is not in order'
certificate-chain-incomplete\t'the intermediate certificates are missing'
certificate-unrelated\t'a certificate in the file is not part of the chain'
certificate-chain-broken\t'a certificate was not signed by the next one'
certificate-key-mismatch\t'the private key does not belong to the certificate'
certificate-key-weak\t'the RSA key has fewer than 2048 bits'
certificate-key-unusual\t'not every client supports this key type'
certificate-signature-weak\t'the certificate is signed with an outdated algorithm'
certificate-self-signed\t'the certificate is self-signed'
certificate-is-ca\t'the host\'s certificate is the certificate of a CA'
certificate-issuer-not-ca\t'an issuer in the chain is not a CA'
certificate-path-length\t'the chain is longer than a CA allows'
certificate-not-for-servers\t'the certificate is not for TLS servers'
certificate-usage-unstated\t'the certificate does not state that it is for TLS servers'
certificate-key-usage\t'the certificate\'s key usage does not allow digital signatures'
certificate-name-constraints\t'the CA\'s name constraints exclude a name of the certificate'
certificate-with-private-key\t'the certificate file holds a private key'
certificate-critical-extension\t'a critical extension that TLS clients do not support'
certificate-malformed\t'a certificate that breaks the rules but can be read'
certificate-cross-signed\t'two certificates of one CA in the chain, from different issuers'
database-reachable\t'the database responds, and is a PostgreSQL server'
database-login\t'the database accepts the login of the spec and its Secret'
database-sslmode\t'the connection to the database is protected as sslMode says'
database-timeouts\t'time limits of the server on what MAS and syn2mas do'
mas-database-version\t'the PostgreSQL release of MAS\'s database'
mas-database-empty\t'MAS\'s database is empty'
mas-database-rights\t'MAS\'s role may create and change its tables'
mas-database-pg-trgm\t'the extension pg_trgm is installed, or MAS may create it'
mas-database-encoding\t'the encoding of MAS\'s database is UTF8'
mas-database-connections\t'MAS\'s database accepts enough connections'
synapse-database-tables\t'Synapse\'s tables are in the database that the spec names'
synapse-database-guests\t'guests in Synapse\'s database'
synapse-database-threepids\t'phone numbers and other addresses in Synapse\'s database'
synapse-database-providers\t'the identity providers that users are linked to are configured'
synapse-database-delegated\t'rows of an earlier delegation to MAS in Synapse\'s database'
synapse-database-server-name\t'all users belong to this server name'
synapse-database-orphans\t'devices, tokens, addresses and links of users who do not exist'
synapse-database-no-login\t'users who cannot log in to MAS'
synapse-database-size\t'the number of rows to copy'
backup-file\t'the dump that you named as the backup'
manifest-owned-by-helm\t'Helm owns the manifest'
manifest-owned-by-installer\t'the vendor\'s installer owns the manifest'
manifest-owned-by-gitops\t'Argo CD, Flux or another tool owns the manifest and restores its own version'
manifest-applied\t'the manifest was applied from a file with other values'
permissions\t'the permissions that the steps require'
permission-to-follow\t'the permission to watch the ElementDeployment'
api-version\t'the version in which the API server serves ElementDeployments'
mas-supported\t'the ElementDeployment of this release has the field `config.active`'
release-too-old\t'the installed release is too old to migrate'
rehearsal\t'a dry run has passed for the current state'
rehearsal-old\t'the dry run is old, or of an earlier release'
record\t'the record of the earlier steps can be read'
encryption-secret-lost\t'the encryption secret that MAS used is missing'
encryption-secret-weak\t'an encryption secret that can be guessed'
mas-reachable\t'MAS\'s host is reachable from where the command runs'
mas-discovery\t'MAS\'s discovery document, /.well-known/openid-configuration'
mas-issuer\t'MAS\'s issuer is https://HOST/, with the slash'
mas-signing-key\t'MAS publishes the RSA key of its Secret at /oauth2/keys.json'
mas-login-page\t'MAS shows its login page, for which it reads its database'
idp-at-mas\t'MAS can start a login through this identity provider'
idp-redirect-uri\t'the identity provider knows MAS\'s redirect URI'
idp-offered\t'Synapse offers the identity providers of the spec'
synapse-reachable\t'Synapse responds at its host'
synapse-auth-metadata\t'Synapse names no issuer before the migration, and MAS\'s issuer after it'
synapse-login\t'Synapse handles login requests before the migration, and MAS after it'
synapse-asks-mas\t'every process of Synapse can validate tokens with MAS'
old-token\t'an access token from before the migration still names its user and device'
new-login\t'a test account logs in with its password, and logs out again'
well-known-client\t'the contents of https://SERVER-NAME/.well-known/matrix/client'
outside-hosts\t'the spec names the hosts to check'
outside-route\t'the route from a host to a pod, with --through-cluster'
mas-settings\t'MAS\'s settings fit the schema'
mas-host-taken\t'another component or Ingress uses MAS\'s host'
mas-host-unresolved\t'MAS\'s host resolves'
mas-database-is-synapses\t'MAS\'s database belongs to Synapse or another component'
mas-database-role\t'MAS with another component\'s database role'
mas-database-host\t'a database host that is the pod itself'
database-pooler\t'a connection pooler in front of a database'
mas-database-tls\t'TLS between MAS and its database'
tls-mode\t'where MAS\'s certificate comes from'
mas-secret\t'MAS\'s Secret'
mas-secret-managed\t'a Secret that another tool writes'
component-secret\t'the other components\' Secrets'
bots-and-bridges\t'bots and bridges'
admin-tools\t'tools for administrators'
available\t'the condition Available'
successful\t'the condition Successful: the outcome of the operator\'s last reconcile'
run-under-way\t'a reconcile is in progress'
already-migrated\t'the migration is complete, or was never needed'
migration-under-way\t'MAS is activated, but the migration is not complete'
being-deleted\t'the ElementDeployment is being deleted'
name-too-long\t'the deployment\'s name has more than 25 characters'
operator-running\t'the operator has a ready pod'
reconcile-period\t'the operator cannot read its annotation reconcile-period'
synapse-settings\t'Synapse\'s settings contain nothing that MAS excludes'
synapse-config-unreadable\t'free-form settings that cannot be read'
synapse-duplicate-key\t'a duplicate key'
synapse-password-login\t'`password_config.enabled` in free-form settings'
synapse-password-module\t'a module that checks passwords'
synapse-registration\t'registration at Synapse'
synapse-captcha\t'a CAPTCHA at registration'
synapse-user-consent\t'consent to terms'
synapse-3pid-changes\t'users change their e-mail addresses at Synapse'
synapse-login-via-existing-session\t'a session can log in another session'
synapse-session-lifetime\t'logins that expire'
synapse-oidc-free-form\t'OIDC providers in free-form settings'
synapse-delegates-already\t'Synapse delegates logins already'
synapse-guests\t'guests'
synapse-database\t'Synapse\'s database settings in free-form settings'
synapse-database-tls\t'syn2mas does not verify the certificate of Synapse\'s database'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l export -d 'Write nothing to the cluster; print the change for the manifest owner' -r -f -a "helm-values\t'A values file for chart ess-stack, to pass with a second -f'
manifests\t'A patch of the ElementDeployment and, in a separate file, the Secret'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l export-file -d 'File to write with mode 0600, instead of printing the export' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l preview -d 'Show the change and exit without writing it'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -s y -l yes -d 'Skip confirmation'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l inline-secrets -d 'Include the secret values; requires --export-file'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l without-secret -d 'Omit the Secret from the manifests'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l force -d 'Overwrite an existing export file'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand prepare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l accept -d 'Warning codes to accept in non-interactive runs' -r -f -a "saml-not-supported\t'SAML logins'
cas-not-supported\t'CAS logins'
jwt-not-supported\t'logins with JSON Web Tokens'
group-sync-not-supported\t'GroupSync'
ldap-needs-release\t'LDAP requires ESS Classic 25.10.1'
ldap-only\t'passwords are checked by LDAP or another password provider only'
idp-id-missing\t'an identity provider without idpId'
idp-id-duplicate\t'two identity providers with the same idpId'
idp-id-not-ulid\t'an idpId that MAS does not keep unchanged'
oidc-restriction-lost\t'a restriction on who may log in is not migrated'
oidc-setting-lost\t'a setting of an identity provider is not migrated'
password-pepper\t'peppered passwords'
mas-email\t'e-mail that MAS has to send'
certificate\t'the certificate for MAS\'s host'
certificate-missing\t'a certificate is not where the TLS mode expects it'
certificate-unreadable\t'the certificate cannot be read'
certificate-key-unreadable\t'the private key cannot be used'
certificate-layout\t'servers cannot read the layout of the certificate or key'
certificate-secret-type\t'the Secret for TLS mode `existing` is not a TLS Secret'
certificate-unknown\t'the certificate could not be checked'
certificate-trust\t'the certificate is trusted without special configuration'
tls-endpoint\t'no TLS server at MAS\'s host'
cluster-issuer\t'cert-manager\'s ClusterIssuer exists and is ready'
certificate-host-mismatch\t'the certificate does not name MAS\'s host'
certificate-wildcard-scope\t'the certificate\'s wildcard does not cover MAS\'s host'
certificate-common-name-only\t'the host is not among the alternative names'
certificate-not-yet-valid\t'the certificate is not valid yet'
certificate-expired\t'the certificate has expired'
certificate-root-expired\t'a certificate in the file that no client needs has expired'
certificate-expires-soon\t'the certificate expires within 30 days'
certificate-valid-too-long\t'the certificate is valid for more than 825 days'
certificate-not-first\t'the host\'s certificate is not the first in the file'
certificate-chain-order\t'the chain is not in order'
certificate-chain-incomplete\t'the intermediate certificates are missing'
certificate-unrelated\t'a certificate in the file is not part of the chain'
certificate-chain-broken\t'a certificate was not signed by the next one'
certificate-key-mismatch\t'the private key does not belong to the certificate'
certificate-key-weak\t'the RSA key has fewer than 2048 bits'
certificate-key-unusual\t'not every client supports this key type'
certificate-signature-weak\t'the certificate is signed with an outdated algorithm'
certificate-self-signed\t'the certificate is self-signed'
certificate-is-ca\t'the host\'s certificate is the certificate of a CA'
certificate-issuer-not-ca\t'an issuer in the chain is not a CA'
certificate-path-length\t'the chain is longer than a CA allows'
certificate-not-for-servers\t'the certificate is not for TLS servers'
certificate-usage-unstated\t'the certificate does not state that it is for TLS servers'
certificate-key-usage\t'the certificate\'s key usage does not allow digital signatures'
certificate-name-constraints\t'the CA\'s name constraints exclude a name of the certificate'
certificate-with-private-key\t'the certificate file holds a private key'
certificate-critical-extension\t'a critical extension that TLS clients do not support'
certificate-malformed\t'a certificate that breaks the rules but can be read'
certificate-cross-signed\t'two certificates of one CA in the chain, from different issuers'
database-reachable\t'the database responds, and is a PostgreSQL server'
database-login\t'the database accepts the login of the spec and its Secret'
database-sslmode\t'the connection to the database is protected as sslMode says'
database-timeouts\t'time limits of the server on what MAS and syn2mas do'
mas-database-version\t'the PostgreSQL release of MAS\'s database'
mas-database-empty\t'MAS\'s database is empty'
mas-database-rights\t'MAS\'s role may create and change its tables'
mas-database-pg-trgm\t'the extension pg_trgm is installed, or MAS may create it'
mas-database-encoding\t'the encoding of MAS\'s database is UTF8'
mas-database-connections\t'MAS\'s database accepts enough connections'
synapse-database-tables\t'Synapse\'s tables are in the database that the spec names'
synapse-database-guests\t'guests in Synapse\'s database'
synapse-database-threepids\t'phone numbers and other addresses in Synapse\'s database'
synapse-database-providers\t'the identity providers that users are linked to are configured'
synapse-database-delegated\t'rows of an earlier delegation to MAS in Synapse\'s database'
synapse-database-server-name\t'all users belong to this server name'
synapse-database-orphans\t'devices, tokens, addresses and links of users who do not exist'
synapse-database-no-login\t'users who cannot log in to MAS'
synapse-database-size\t'the number of rows to copy'
backup-file\t'the dump that you named as the backup'
manifest-owned-by-helm\t'Helm owns the manifest'
manifest-owned-by-installer\t'the vendor\'s installer owns the manifest'
manifest-owned-by-gitops\t'Argo CD, Flux or another tool owns the manifest and restores its own version'
manifest-applied\t'the manifest was applied from a file with other values'
permissions\t'the permissions that the steps require'
permission-to-follow\t'the permission to watch the ElementDeployment'
api-version\t'the version in which the API server serves ElementDeployments'
mas-supported\t'the ElementDeployment of this release has the field `config.active`'
release-too-old\t'the installed release is too old to migrate'
rehearsal\t'a dry run has passed for the current state'
rehearsal-old\t'the dry run is old, or of an earlier release'
record\t'the record of the earlier steps can be read'
encryption-secret-lost\t'the encryption secret that MAS used is missing'
encryption-secret-weak\t'an encryption secret that can be guessed'
mas-reachable\t'MAS\'s host is reachable from where the command runs'
mas-discovery\t'MAS\'s discovery document, /.well-known/openid-configuration'
mas-issuer\t'MAS\'s issuer is https://HOST/, with the slash'
mas-signing-key\t'MAS publishes the RSA key of its Secret at /oauth2/keys.json'
mas-login-page\t'MAS shows its login page, for which it reads its database'
idp-at-mas\t'MAS can start a login through this identity provider'
idp-redirect-uri\t'the identity provider knows MAS\'s redirect URI'
idp-offered\t'Synapse offers the identity providers of the spec'
synapse-reachable\t'Synapse responds at its host'
synapse-auth-metadata\t'Synapse names no issuer before the migration, and MAS\'s issuer after it'
synapse-login\t'Synapse handles login requests before the migration, and MAS after it'
synapse-asks-mas\t'every process of Synapse can validate tokens with MAS'
old-token\t'an access token from before the migration still names its user and device'
new-login\t'a test account logs in with its password, and logs out again'
well-known-client\t'the contents of https://SERVER-NAME/.well-known/matrix/client'
outside-hosts\t'the spec names the hosts to check'
outside-route\t'the route from a host to a pod, with --through-cluster'
mas-settings\t'MAS\'s settings fit the schema'
mas-host-taken\t'another component or Ingress uses MAS\'s host'
mas-host-unresolved\t'MAS\'s host resolves'
mas-database-is-synapses\t'MAS\'s database belongs to Synapse or another component'
mas-database-role\t'MAS with another component\'s database role'
mas-database-host\t'a database host that is the pod itself'
database-pooler\t'a connection pooler in front of a database'
mas-database-tls\t'TLS between MAS and its database'
tls-mode\t'where MAS\'s certificate comes from'
mas-secret\t'MAS\'s Secret'
mas-secret-managed\t'a Secret that another tool writes'
component-secret\t'the other components\' Secrets'
bots-and-bridges\t'bots and bridges'
admin-tools\t'tools for administrators'
available\t'the condition Available'
successful\t'the condition Successful: the outcome of the operator\'s last reconcile'
run-under-way\t'a reconcile is in progress'
already-migrated\t'the migration is complete, or was never needed'
migration-under-way\t'MAS is activated, but the migration is not complete'
being-deleted\t'the ElementDeployment is being deleted'
name-too-long\t'the deployment\'s name has more than 25 characters'
operator-running\t'the operator has a ready pod'
reconcile-period\t'the operator cannot read its annotation reconcile-period'
synapse-settings\t'Synapse\'s settings contain nothing that MAS excludes'
synapse-config-unreadable\t'free-form settings that cannot be read'
synapse-duplicate-key\t'a duplicate key'
synapse-password-login\t'`password_config.enabled` in free-form settings'
synapse-password-module\t'a module that checks passwords'
synapse-registration\t'registration at Synapse'
synapse-captcha\t'a CAPTCHA at registration'
synapse-user-consent\t'consent to terms'
synapse-3pid-changes\t'users change their e-mail addresses at Synapse'
synapse-login-via-existing-session\t'a session can log in another session'
synapse-session-lifetime\t'logins that expire'
synapse-oidc-free-form\t'OIDC providers in free-form settings'
synapse-delegates-already\t'Synapse delegates logins already'
synapse-guests\t'guests'
synapse-database\t'Synapse\'s database settings in free-form settings'
synapse-database-tls\t'syn2mas does not verify the certificate of Synapse\'s database'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l wait -d 'Wait for the operator to finish reconciling; true by default' -r -f -a "true\t''
false\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l timeout -d 'Time to wait, such as 30m or 1h30m; 0 checks once [default: 30m; for activate 90m]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l preview -d 'Show the change and exit without writing it'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -s y -l yes -d 'Skip confirmation'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l via-owner -d 'Write nothing; print the change for the manifest owner (Helm, Argo CD, Flux, installer) and wait until it is applied'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand dry-run" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l accept -d 'Warning codes to accept in non-interactive runs' -r -f -a "saml-not-supported\t'SAML logins'
cas-not-supported\t'CAS logins'
jwt-not-supported\t'logins with JSON Web Tokens'
group-sync-not-supported\t'GroupSync'
ldap-needs-release\t'LDAP requires ESS Classic 25.10.1'
ldap-only\t'passwords are checked by LDAP or another password provider only'
idp-id-missing\t'an identity provider without idpId'
idp-id-duplicate\t'two identity providers with the same idpId'
idp-id-not-ulid\t'an idpId that MAS does not keep unchanged'
oidc-restriction-lost\t'a restriction on who may log in is not migrated'
oidc-setting-lost\t'a setting of an identity provider is not migrated'
password-pepper\t'peppered passwords'
mas-email\t'e-mail that MAS has to send'
certificate\t'the certificate for MAS\'s host'
certificate-missing\t'a certificate is not where the TLS mode expects it'
certificate-unreadable\t'the certificate cannot be read'
certificate-key-unreadable\t'the private key cannot be used'
certificate-layout\t'servers cannot read the layout of the certificate or key'
certificate-secret-type\t'the Secret for TLS mode `existing` is not a TLS Secret'
certificate-unknown\t'the certificate could not be checked'
certificate-trust\t'the certificate is trusted without special configuration'
tls-endpoint\t'no TLS server at MAS\'s host'
cluster-issuer\t'cert-manager\'s ClusterIssuer exists and is ready'
certificate-host-mismatch\t'the certificate does not name MAS\'s host'
certificate-wildcard-scope\t'the certificate\'s wildcard does not cover MAS\'s host'
certificate-common-name-only\t'the host is not among the alternative names'
certificate-not-yet-valid\t'the certificate is not valid yet'
certificate-expired\t'the certificate has expired'
certificate-root-expired\t'a certificate in the file that no client needs has expired'
certificate-expires-soon\t'the certificate expires within 30 days'
certificate-valid-too-long\t'the certificate is valid for more than 825 days'
certificate-not-first\t'the host\'s certificate is not the first in the file'
certificate-chain-order\t'the chain is not in order'
certificate-chain-incomplete\t'the intermediate certificates are missing'
certificate-unrelated\t'a certificate in the file is not part of the chain'
certificate-chain-broken\t'a certificate was not signed by the next one'
certificate-key-mismatch\t'the private key does not belong to the certificate'
certificate-key-weak\t'the RSA key has fewer than 2048 bits'
certificate-key-unusual\t'not every client supports this key type'
certificate-signature-weak\t'the certificate is signed with an outdated algorithm'
certificate-self-signed\t'the certificate is self-signed'
certificate-is-ca\t'the host\'s certificate is the certificate of a CA'
certificate-issuer-not-ca\t'an issuer in the chain is not a CA'
certificate-path-length\t'the chain is longer than a CA allows'
certificate-not-for-servers\t'the certificate is not for TLS servers'
certificate-usage-unstated\t'the certificate does not state that it is for TLS servers'
certificate-key-usage\t'the certificate\'s key usage does not allow digital signatures'
certificate-name-constraints\t'the CA\'s name constraints exclude a name of the certificate'
certificate-with-private-key\t'the certificate file holds a private key'
certificate-critical-extension\t'a critical extension that TLS clients do not support'
certificate-malformed\t'a certificate that breaks the rules but can be read'
certificate-cross-signed\t'two certificates of one CA in the chain, from different issuers'
database-reachable\t'the database responds, and is a PostgreSQL server'
database-login\t'the database accepts the login of the spec and its Secret'
database-sslmode\t'the connection to the database is protected as sslMode says'
database-timeouts\t'time limits of the server on what MAS and syn2mas do'
mas-database-version\t'the PostgreSQL release of MAS\'s database'
mas-database-empty\t'MAS\'s database is empty'
mas-database-rights\t'MAS\'s role may create and change its tables'
mas-database-pg-trgm\t'the extension pg_trgm is installed, or MAS may create it'
mas-database-encoding\t'the encoding of MAS\'s database is UTF8'
mas-database-connections\t'MAS\'s database accepts enough connections'
synapse-database-tables\t'Synapse\'s tables are in the database that the spec names'
synapse-database-guests\t'guests in Synapse\'s database'
synapse-database-threepids\t'phone numbers and other addresses in Synapse\'s database'
synapse-database-providers\t'the identity providers that users are linked to are configured'
synapse-database-delegated\t'rows of an earlier delegation to MAS in Synapse\'s database'
synapse-database-server-name\t'all users belong to this server name'
synapse-database-orphans\t'devices, tokens, addresses and links of users who do not exist'
synapse-database-no-login\t'users who cannot log in to MAS'
synapse-database-size\t'the number of rows to copy'
backup-file\t'the dump that you named as the backup'
manifest-owned-by-helm\t'Helm owns the manifest'
manifest-owned-by-installer\t'the vendor\'s installer owns the manifest'
manifest-owned-by-gitops\t'Argo CD, Flux or another tool owns the manifest and restores its own version'
manifest-applied\t'the manifest was applied from a file with other values'
permissions\t'the permissions that the steps require'
permission-to-follow\t'the permission to watch the ElementDeployment'
api-version\t'the version in which the API server serves ElementDeployments'
mas-supported\t'the ElementDeployment of this release has the field `config.active`'
release-too-old\t'the installed release is too old to migrate'
rehearsal\t'a dry run has passed for the current state'
rehearsal-old\t'the dry run is old, or of an earlier release'
record\t'the record of the earlier steps can be read'
encryption-secret-lost\t'the encryption secret that MAS used is missing'
encryption-secret-weak\t'an encryption secret that can be guessed'
mas-reachable\t'MAS\'s host is reachable from where the command runs'
mas-discovery\t'MAS\'s discovery document, /.well-known/openid-configuration'
mas-issuer\t'MAS\'s issuer is https://HOST/, with the slash'
mas-signing-key\t'MAS publishes the RSA key of its Secret at /oauth2/keys.json'
mas-login-page\t'MAS shows its login page, for which it reads its database'
idp-at-mas\t'MAS can start a login through this identity provider'
idp-redirect-uri\t'the identity provider knows MAS\'s redirect URI'
idp-offered\t'Synapse offers the identity providers of the spec'
synapse-reachable\t'Synapse responds at its host'
synapse-auth-metadata\t'Synapse names no issuer before the migration, and MAS\'s issuer after it'
synapse-login\t'Synapse handles login requests before the migration, and MAS after it'
synapse-asks-mas\t'every process of Synapse can validate tokens with MAS'
old-token\t'an access token from before the migration still names its user and device'
new-login\t'a test account logs in with its password, and logs out again'
well-known-client\t'the contents of https://SERVER-NAME/.well-known/matrix/client'
outside-hosts\t'the spec names the hosts to check'
outside-route\t'the route from a host to a pod, with --through-cluster'
mas-settings\t'MAS\'s settings fit the schema'
mas-host-taken\t'another component or Ingress uses MAS\'s host'
mas-host-unresolved\t'MAS\'s host resolves'
mas-database-is-synapses\t'MAS\'s database belongs to Synapse or another component'
mas-database-role\t'MAS with another component\'s database role'
mas-database-host\t'a database host that is the pod itself'
database-pooler\t'a connection pooler in front of a database'
mas-database-tls\t'TLS between MAS and its database'
tls-mode\t'where MAS\'s certificate comes from'
mas-secret\t'MAS\'s Secret'
mas-secret-managed\t'a Secret that another tool writes'
component-secret\t'the other components\' Secrets'
bots-and-bridges\t'bots and bridges'
admin-tools\t'tools for administrators'
available\t'the condition Available'
successful\t'the condition Successful: the outcome of the operator\'s last reconcile'
run-under-way\t'a reconcile is in progress'
already-migrated\t'the migration is complete, or was never needed'
migration-under-way\t'MAS is activated, but the migration is not complete'
being-deleted\t'the ElementDeployment is being deleted'
name-too-long\t'the deployment\'s name has more than 25 characters'
operator-running\t'the operator has a ready pod'
reconcile-period\t'the operator cannot read its annotation reconcile-period'
synapse-settings\t'Synapse\'s settings contain nothing that MAS excludes'
synapse-config-unreadable\t'free-form settings that cannot be read'
synapse-duplicate-key\t'a duplicate key'
synapse-password-login\t'`password_config.enabled` in free-form settings'
synapse-password-module\t'a module that checks passwords'
synapse-registration\t'registration at Synapse'
synapse-captcha\t'a CAPTCHA at registration'
synapse-user-consent\t'consent to terms'
synapse-3pid-changes\t'users change their e-mail addresses at Synapse'
synapse-login-via-existing-session\t'a session can log in another session'
synapse-session-lifetime\t'logins that expire'
synapse-oidc-free-form\t'OIDC providers in free-form settings'
synapse-delegates-already\t'Synapse delegates logins already'
synapse-guests\t'guests'
synapse-database\t'Synapse\'s database settings in free-form settings'
synapse-database-tls\t'syn2mas does not verify the certificate of Synapse\'s database'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l confirm -d 'Deployment name, to confirm without a prompt' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l backup -d 'Location of the backup of both databases, for the record' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l backup-file -d 'Verify that FILE is a recent PostgreSQL dump containing the users table; repeatable' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l wait -d 'Wait for the operator to finish reconciling; true by default' -r -f -a "true\t''
false\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l timeout -d 'Time to wait, such as 30m or 1h30m; 0 checks once [default: 30m; for activate 90m]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l preview -d 'Show the change and exit without writing it'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -s y -l yes -d 'Not sufficient to activate; pass --confirm and --backup'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l via-owner -d 'Write nothing; print the change for the manifest owner (Helm, Argo CD, Flux, installer) and wait until it is applied'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand activate" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l accept -d 'Warning codes to accept in non-interactive runs' -r -f -a "saml-not-supported\t'SAML logins'
cas-not-supported\t'CAS logins'
jwt-not-supported\t'logins with JSON Web Tokens'
group-sync-not-supported\t'GroupSync'
ldap-needs-release\t'LDAP requires ESS Classic 25.10.1'
ldap-only\t'passwords are checked by LDAP or another password provider only'
idp-id-missing\t'an identity provider without idpId'
idp-id-duplicate\t'two identity providers with the same idpId'
idp-id-not-ulid\t'an idpId that MAS does not keep unchanged'
oidc-restriction-lost\t'a restriction on who may log in is not migrated'
oidc-setting-lost\t'a setting of an identity provider is not migrated'
password-pepper\t'peppered passwords'
mas-email\t'e-mail that MAS has to send'
certificate\t'the certificate for MAS\'s host'
certificate-missing\t'a certificate is not where the TLS mode expects it'
certificate-unreadable\t'the certificate cannot be read'
certificate-key-unreadable\t'the private key cannot be used'
certificate-layout\t'servers cannot read the layout of the certificate or key'
certificate-secret-type\t'the Secret for TLS mode `existing` is not a TLS Secret'
certificate-unknown\t'the certificate could not be checked'
certificate-trust\t'the certificate is trusted without special configuration'
tls-endpoint\t'no TLS server at MAS\'s host'
cluster-issuer\t'cert-manager\'s ClusterIssuer exists and is ready'
certificate-host-mismatch\t'the certificate does not name MAS\'s host'
certificate-wildcard-scope\t'the certificate\'s wildcard does not cover MAS\'s host'
certificate-common-name-only\t'the host is not among the alternative names'
certificate-not-yet-valid\t'the certificate is not valid yet'
certificate-expired\t'the certificate has expired'
certificate-root-expired\t'a certificate in the file that no client needs has expired'
certificate-expires-soon\t'the certificate expires within 30 days'
certificate-valid-too-long\t'the certificate is valid for more than 825 days'
certificate-not-first\t'the host\'s certificate is not the first in the file'
certificate-chain-order\t'the chain is not in order'
certificate-chain-incomplete\t'the intermediate certificates are missing'
certificate-unrelated\t'a certificate in the file is not part of the chain'
certificate-chain-broken\t'a certificate was not signed by the next one'
certificate-key-mismatch\t'the private key does not belong to the certificate'
certificate-key-weak\t'the RSA key has fewer than 2048 bits'
certificate-key-unusual\t'not every client supports this key type'
certificate-signature-weak\t'the certificate is signed with an outdated algorithm'
certificate-self-signed\t'the certificate is self-signed'
certificate-is-ca\t'the host\'s certificate is the certificate of a CA'
certificate-issuer-not-ca\t'an issuer in the chain is not a CA'
certificate-path-length\t'the chain is longer than a CA allows'
certificate-not-for-servers\t'the certificate is not for TLS servers'
certificate-usage-unstated\t'the certificate does not state that it is for TLS servers'
certificate-key-usage\t'the certificate\'s key usage does not allow digital signatures'
certificate-name-constraints\t'the CA\'s name constraints exclude a name of the certificate'
certificate-with-private-key\t'the certificate file holds a private key'
certificate-critical-extension\t'a critical extension that TLS clients do not support'
certificate-malformed\t'a certificate that breaks the rules but can be read'
certificate-cross-signed\t'two certificates of one CA in the chain, from different issuers'
database-reachable\t'the database responds, and is a PostgreSQL server'
database-login\t'the database accepts the login of the spec and its Secret'
database-sslmode\t'the connection to the database is protected as sslMode says'
database-timeouts\t'time limits of the server on what MAS and syn2mas do'
mas-database-version\t'the PostgreSQL release of MAS\'s database'
mas-database-empty\t'MAS\'s database is empty'
mas-database-rights\t'MAS\'s role may create and change its tables'
mas-database-pg-trgm\t'the extension pg_trgm is installed, or MAS may create it'
mas-database-encoding\t'the encoding of MAS\'s database is UTF8'
mas-database-connections\t'MAS\'s database accepts enough connections'
synapse-database-tables\t'Synapse\'s tables are in the database that the spec names'
synapse-database-guests\t'guests in Synapse\'s database'
synapse-database-threepids\t'phone numbers and other addresses in Synapse\'s database'
synapse-database-providers\t'the identity providers that users are linked to are configured'
synapse-database-delegated\t'rows of an earlier delegation to MAS in Synapse\'s database'
synapse-database-server-name\t'all users belong to this server name'
synapse-database-orphans\t'devices, tokens, addresses and links of users who do not exist'
synapse-database-no-login\t'users who cannot log in to MAS'
synapse-database-size\t'the number of rows to copy'
backup-file\t'the dump that you named as the backup'
manifest-owned-by-helm\t'Helm owns the manifest'
manifest-owned-by-installer\t'the vendor\'s installer owns the manifest'
manifest-owned-by-gitops\t'Argo CD, Flux or another tool owns the manifest and restores its own version'
manifest-applied\t'the manifest was applied from a file with other values'
permissions\t'the permissions that the steps require'
permission-to-follow\t'the permission to watch the ElementDeployment'
api-version\t'the version in which the API server serves ElementDeployments'
mas-supported\t'the ElementDeployment of this release has the field `config.active`'
release-too-old\t'the installed release is too old to migrate'
rehearsal\t'a dry run has passed for the current state'
rehearsal-old\t'the dry run is old, or of an earlier release'
record\t'the record of the earlier steps can be read'
encryption-secret-lost\t'the encryption secret that MAS used is missing'
encryption-secret-weak\t'an encryption secret that can be guessed'
mas-reachable\t'MAS\'s host is reachable from where the command runs'
mas-discovery\t'MAS\'s discovery document, /.well-known/openid-configuration'
mas-issuer\t'MAS\'s issuer is https://HOST/, with the slash'
mas-signing-key\t'MAS publishes the RSA key of its Secret at /oauth2/keys.json'
mas-login-page\t'MAS shows its login page, for which it reads its database'
idp-at-mas\t'MAS can start a login through this identity provider'
idp-redirect-uri\t'the identity provider knows MAS\'s redirect URI'
idp-offered\t'Synapse offers the identity providers of the spec'
synapse-reachable\t'Synapse responds at its host'
synapse-auth-metadata\t'Synapse names no issuer before the migration, and MAS\'s issuer after it'
synapse-login\t'Synapse handles login requests before the migration, and MAS after it'
synapse-asks-mas\t'every process of Synapse can validate tokens with MAS'
old-token\t'an access token from before the migration still names its user and device'
new-login\t'a test account logs in with its password, and logs out again'
well-known-client\t'the contents of https://SERVER-NAME/.well-known/matrix/client'
outside-hosts\t'the spec names the hosts to check'
outside-route\t'the route from a host to a pod, with --through-cluster'
mas-settings\t'MAS\'s settings fit the schema'
mas-host-taken\t'another component or Ingress uses MAS\'s host'
mas-host-unresolved\t'MAS\'s host resolves'
mas-database-is-synapses\t'MAS\'s database belongs to Synapse or another component'
mas-database-role\t'MAS with another component\'s database role'
mas-database-host\t'a database host that is the pod itself'
database-pooler\t'a connection pooler in front of a database'
mas-database-tls\t'TLS between MAS and its database'
tls-mode\t'where MAS\'s certificate comes from'
mas-secret\t'MAS\'s Secret'
mas-secret-managed\t'a Secret that another tool writes'
component-secret\t'the other components\' Secrets'
bots-and-bridges\t'bots and bridges'
admin-tools\t'tools for administrators'
available\t'the condition Available'
successful\t'the condition Successful: the outcome of the operator\'s last reconcile'
run-under-way\t'a reconcile is in progress'
already-migrated\t'the migration is complete, or was never needed'
migration-under-way\t'MAS is activated, but the migration is not complete'
being-deleted\t'the ElementDeployment is being deleted'
name-too-long\t'the deployment\'s name has more than 25 characters'
operator-running\t'the operator has a ready pod'
reconcile-period\t'the operator cannot read its annotation reconcile-period'
synapse-settings\t'Synapse\'s settings contain nothing that MAS excludes'
synapse-config-unreadable\t'free-form settings that cannot be read'
synapse-duplicate-key\t'a duplicate key'
synapse-password-login\t'`password_config.enabled` in free-form settings'
synapse-password-module\t'a module that checks passwords'
synapse-registration\t'registration at Synapse'
synapse-captcha\t'a CAPTCHA at registration'
synapse-user-consent\t'consent to terms'
synapse-3pid-changes\t'users change their e-mail addresses at Synapse'
synapse-login-via-existing-session\t'a session can log in another session'
synapse-session-lifetime\t'logins that expire'
synapse-oidc-free-form\t'OIDC providers in free-form settings'
synapse-delegates-already\t'Synapse delegates logins already'
synapse-guests\t'guests'
synapse-database\t'Synapse\'s database settings in free-form settings'
synapse-database-tls\t'syn2mas does not verify the certificate of Synapse\'s database'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l wait -d 'Wait for the operator to finish reconciling; true by default' -r -f -a "true\t''
false\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l timeout -d 'Time to wait, such as 30m or 1h30m; 0 checks once [default: 30m; for activate 90m]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l remove -d 'Also remove the MAS component from the ElementDeployment'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l preview -d 'Show the change and exit without writing it'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -s y -l yes -d 'Skip confirmation'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand abort" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l resolve -d 'Connect to this address for a host, instead of using DNS or a proxy; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l ca-certificate -d 'File with the CAs to trust, instead of the system\'s' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l token-file -d 'File with an access token, optionally followed by its expected user and device; sent only to Synapse\'s host; - for standard input' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l login-file -d 'File with the user and password of a test account, each on its own line, to log in and out; not between dry run and migration; - for standard input' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l through-cluster -d 'Connect through port-forwards to the pods behind the ingress, if the ingress is unreachable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand verify" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -f -a "issue" -d 'Issue a certificate for the MAS host from a private CA'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -f -a "request" -d 'Create a key and a certificate signing request for a company CA'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and not __fish_seen_subcommand_from issue request check" -f -a "check" -d 'Check whether a certificate, key and chain are valid for the MAS host'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l host -d 'Fully qualified domain name of MAS [default: the configured one]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l out -d 'Directory for the files; created if missing' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l key-type -d 'Type of the generated private key' -r -f -a "p256\t'ECDSA, P-256'
rsa2048\t'RSA, 2048 bits'
rsa3072\t'RSA, 3072 bits'
rsa4096\t'RSA, 4096 bits'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l ca-certificate -d 'File with the certificate of an existing CA, instead of creating a private CA' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l ca-private-key -d 'File with the private key of the existing CA' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l force -d 'Overwrite existing files'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from issue" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l host -d 'Fully qualified domain name of MAS [default: the configured one]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l out -d 'Directory for the files; created if missing' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l key-type -d 'Type of the generated private key' -r -f -a "p256\t'ECDSA, P-256'
rsa2048\t'RSA, 2048 bits'
rsa3072\t'RSA, 3072 bits'
rsa4096\t'RSA, 4096 bits'"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l force -d 'Overwrite existing files'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from request" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l host -d 'Fully qualified domain name of MAS [default: the configured one]' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l certificate -d 'File with the certificate and its intermediates, in PEM' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l private-key -d 'File with the private key of the certificate, in PEM' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l secret -d 'Secret that contains the certificate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l resolve -d 'Connect to this address for the host, instead of resolving it, as in curl' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l ca-certificate -d 'File with the CA to trust, instead of the system\'s' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l live -d 'Check the certificate that the host presents; sends only a TLS handshake'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand tls; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l file -d 'File or directory to write to; never overwrites a file [default: the working directory]' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand report" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand completion" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -s o -l output -d 'Output format' -r -f -a "table\t''
wide\t''
json\t''
yaml\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l kubeconfig -d 'Path to the kubeconfig file, instead of the list in KUBECONFIG' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l context -d 'Kubeconfig context to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l cluster -d 'Kubeconfig cluster to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l user -d 'Kubeconfig user to use' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -s n -l namespace -d 'Namespace of the deployment' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -s s -l server -d 'Address of the API server' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l tls-server-name -d 'Server name for certificate validation' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l certificate-authority -d 'File with the CA certificate of the API server' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l client-certificate -d 'File with the client certificate for TLS' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l client-key -d 'File with the private key of the client certificate' -r -F
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l as -d 'User to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l as-uid -d 'UID to impersonate' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l as-group -d 'Group to impersonate; repeatable' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l request-timeout -d 'Time to wait for a response from the API server, such as 5s or 2m; 0 means no limit' -r -f
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l color -d 'Colorize the output; auto does so only on a terminal' -r -f -a "auto\t''
always\t''
never\t''"
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -l insecure-skip-tls-verify -d 'Skip validation of the API server\'s certificate, which makes the connection insecure'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -s v -d 'Increase verbosity; repeatable'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -s q -l quiet -d 'Print only warnings and errors'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand version" -s h -l help -d 'Print help'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "status" -d 'Show the state of the migration and the next step'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "check" -d 'Check whether the deployment is ready for the migration'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "prepare" -d 'Configure MAS and create its Secret; doesn\'t modify the ElementDeployment'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "dry-run" -d 'Add MAS without activating it and wait for the operator\'s dry run'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "activate" -d 'Start the migration; reversible only by restoring a backup'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "abort" -d 'Roll back an unfinished migration'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "verify" -d 'Test MAS, Synapse and the identity providers over the network'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "tls" -d 'Issue, request and check certificates for the MAS host'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "report" -d 'Collect data for support in one file, without secrets'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "completion" -d 'Print a shell completion script'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "version" -d 'Print the version'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and not __fish_seen_subcommand_from status check prepare dry-run activate abort verify tls report completion version help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and __fish_seen_subcommand_from tls" -f -a "issue" -d 'Issue a certificate for the MAS host from a private CA'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and __fish_seen_subcommand_from tls" -f -a "request" -d 'Create a key and a certificate signing request for a company CA'
complete -c kubectl-ess_mas -n "__fish_kubectl_ess_mas_using_subcommand help; and __fish_seen_subcommand_from tls" -f -a "check" -d 'Check whether a certificate, key and chain are valid for the MAS host'
