use std::os::unix::fs::PermissionsExt;

use super::*;

const GOOD: &str = r#"
[accounts.shop]
gateway = "stripe"
mode = "test"
secrets = [{ file = "one" }]
"#;

/// A folder with a sealing key and two secrets.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = "a".repeat(64);
    for (name, text, mode) in [
        (SEAL_KEY_FILE, key.as_str(), 0o600),
        ("one", "whsec_number_one", 0o600),
        ("two", "whsec_number_two", 0o600),
        ("open", "whsec_number_three", 0o644),
        ("login", "usuário:s3nh@:forte", 0o600),
        ("key", "ak_live_of_the_shop", 0o600),
        ("token", "sk_live_of_the_shop", 0o600),
        ("short", "whsec_", 0o600),
        ("empty", "\n", 0o600),
        ("client.pem", include_str!("../../../lookup/tests/keys/client.pem"), 0o600),
        ("icp.pem", include_str!("../../../gateways/tests/keys/icp-root.pem"), 0o644),
        ("leaf.pem", include_str!("../../../gateways/tests/keys/icp-leaf.pem"), 0o644),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    folder
}

fn problems(text: &str) -> Vec<(Option<usize>, String)> {
    let folder = folder();
    let Err(problems) = parse(folder.path(), text, &|_| None) else { return Vec::new() };
    problems.into_iter().map(|problem| (problem.line, problem.text)).collect()
}

#[test]
fn the_smallest_configuration_is_in_order() {
    assert_eq!(problems(GOOD), []);
}

#[test]
fn six_mistakes_are_six_problems_each_with_its_line() {
    let text = r#"[ingress]
listen = "everywhere"
max_body_byte = 5
[queue]
max_bytes = -1
[accounts.shop]
gateway = "paypal"
mode = "sandbox"
secrets = []
"#;
    let found = problems(text);
    let lines: Vec<Option<usize>> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 5, 7, 8, 9].map(Some), "{found:#?}");
    for ((_, text), expected) in found.iter().zip([
        "expected an address and port",
        "did you mean max_body_bytes?",
        "expected a whole number",
        "expected one of stripe, pagarme, appmax, openfinance, mercadopago, got \"paypal\"",
        "expected live or test",
        "expected at least one secret",
    ]) {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn every_single_mistake_is_named() {
    let account = |line: &str| format!("[accounts.shop]\ngateway = \"stripe\"\nmode = \"test\"\n{line}\n");
    let cases = [
        ("[accounts.shop", "is not TOML"),
        ("", "expected at least one, such as [accounts.shop]"),
        ("accounts = 5", "expected a table"),
        ("[accounts]\nshop = 5", "expected a table"),
        (&account("secrets = [\"whsec_itself\"]"), "does not belong here"),
        (&account("secrets = [{ file = \"missing\" }]"), "missing cannot be read"),
        (&account("secrets = [{ file = \"open\" }]"), "chmod 600"),
        (&account("secrets = [{ file = \"empty\" }]"), "got an empty text"),
        (&account("secrets = [{ file = \"short\" }]"), "at least 8 characters"),
        (&account("secrets = [{ env = \"NOT_SET\" }]"), "NOT_SET is not set"),
        (&account("secrets = [{ path = \"one\" }]"), "expected file or env, got path"),
        (&account("secrets = [{ file = \"one\" }, { file = \"one\" }]"), "named twice"),
        (&account("secrets = [{ file = \"one\" }]\ntolerance_seconds = 0"), "from 1 to 604800"),
        (&account("secrets = [{ file = \"one\" }]\ntenants = 5"), "expected \"own\", \"any\" or a list"),
        (&account("secrets = [{ file = \"one\" }]\nmerchant = \"São Paulo\""), "expected a merchant name"),
        (&account("secrets = [{ file = \"one\" }]\nmerchnt = \"x\""), "did you mean merchant?"),
        (&account("secrets = [{ file = \"one\" }]\naliases = \"/a\""), "expected a list of paths"),
        (&account("secrets = [{ file = \"one\" }]\naliases = [\"/webhooks/a\"]"), "not under /webhooks/"),
        (&account("secrets = [{ file = \"one\" }]\naliases = [\"/a?b\"]"), "a whole path such as"),
        (&account("secrets = [{ file = \"one\" }]\naliases = [\"/a\", \"/a\"]"), "/a is named twice"),
        (
            &format!(
                "{}{}",
                account("secrets = [{ file = \"one\" }]\naliases = [\"/a\"]"),
                account("secrets = [{ file = \"two\" }]\naliases = [\"/a\"]").replace("shop", "other")
            ),
            "/a is also an alias of account shop",
        ),
        (&account("secrets = [{ file = \"one\" }]\npath_tokens = [{ file = \"two\" }]"), "path_tokens: unknown key"),
        (&GOOD.replace("stripe", "openfinance"), "profile: expected one of ofb, transfeera, efi, house, got nothing"),
        (
            &GOOD.replace("\"stripe\"", "\"openfinance\"\nprofile = \"lina\""),
            "expected one of ofb, transfeera, efi, house, got \"lina\"",
        ),
        (&GOOD.replace("\"stripe\"", "\"stripe\"\nprofile = \"v1\""), "profile: unknown key"),
        (&GOOD.replace("accounts.shop", "accounts.Shop"), "expected an account name"),
        (&format!("{GOOD}{}", GOOD.replace("accounts.shop", "accounts.two")), "is also that of account shop"),
        (
            &format!("[ingress]\nlisten = \"127.0.0.1:1\"\n[admin]\nlisten = \"127.0.0.1:1\"\n{GOOD}"),
            "another address than",
        ),
        (&format!("[log]\nlevel = \"a=b=c\"\n{GOOD}"), "log.level"),
        (&format!("[log]\nformat = \"xml\"\n{GOOD}"), "expected one of text, json"),
        (&format!("[worker]\nbatch_size = \"many\"\n{GOOD}"), "expected a whole number"),
        (&format!("[ingres]\n{GOOD}"), "did you mean ingress?"),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(found.iter().any(|(_, text)| text.contains(expected)), "{expected} in {found:#?} for {text}");
    }
}

#[test]
fn an_account_whose_gateway_has_several_proofs_needs_one_of_them_and_each_is_held_to_its_form() {
    let account = |lines: &str| format!("[accounts.loja]\ngateway = \"pagarme\"\nmode = \"test\"\n{lines}\n");
    for good in [
        "logins = [{ file = \"login\" }]",
        "path_tokens = [{ file = \"one\" }]",
        "secrets = [{ file = \"key\" }]\ndigest = \"sha256\"",
        "[accounts.loja.keys]",
        "[accounts.loja.keys]\n[accounts.loja.api]\ntoken = { file = \"token\" }",
    ] {
        assert_eq!(problems(&account(good)), [], "{good}");
    }
    for (lines, expected) in [
        ("", "expected one of logins, path_tokens, secrets, keys; an account without proof does not start"),
        ("logins = [{ file = \"one\" }]", "expected a user and a password with a colon between them"),
        ("secrets = [{ file = \"token\" }]", "got a secret key of v5 (sk_…)"),
        ("logins = [{ file = \"login\" }]\ndigest = \"md5\"", "digest: expected sha1 or sha256"),
        (
            "[accounts.loja.keys]\nbase = \"https://keys.example.com\"",
            "not an address of the gateway (hubapi.pagar.me)",
        ),
        ("[accounts.loja.keys]\naddress = \"x\"", "unknown key"),
        ("[accounts.loja.keys]\n[accounts.loja.api]\ntoken = { file = \"key\" }", "got an API key of v4 (ak_…)"),
        ("[accounts.loja.keys]\n[accounts.loja.api]\nclient_id = \"x\"", "expected a reference such as"),
    ] {
        let found = problems(&account(lines));
        assert!(found.iter().any(|(_, text)| text.contains(expected)), "{expected} in {found:#?}");
    }
    let config = parse(folder().path(), &GOOD.replace("one", "two"), &|_| None).unwrap();
    assert!(config.accounts[0].keys_at.is_none());
}

#[test]
fn what_faces_the_internet_is_checked_before_anything_listens() {
    let edge = |lines: &str| format!("{lines}\n{GOOD}");
    let tls = "[ingress.tls]\ncertificate = \"leaf.pem\"\nkey = { file = \"client.pem\" }";
    let proxies = "[ingress.proxies]\ntrusted = [\"10.0.0.0/8\", \"::1\"]\naddress_header = \"X-Forwarded-For\"";
    assert_eq!(problems(&edge(proxies)), []);
    let config = parse(folder().path(), &edge(proxies), &|_| None).unwrap();
    assert_eq!(config.edge.proxies.address_header.unwrap().as_str(), "x-forwarded-for");
    for (lines, expected) in [
        ("[ingress.tls]", "ingress.tls.certificate: expected a file of certificates"),
        ("[ingress.tls]", "ingress.tls.key: expected a reference to the certificate's key"),
        (tls, "ingress.tls: the key is not that of the certificate"),
        (&*tls.replace("leaf.pem", "one"), "ingress.tls: expected our certificate in PEM"),
        (&*tls.replace("client.pem", "one"), "ingress.tls: expected a private key in PEM, got none"),
        (&*tls.replace("client.pem", "leaf.pem"), "chmod 600"),
        (&*tls.replace("tls", "mtls"), "expected an account with client_certificates"),
        ("[ingress.proxies]", "trusted: expected addresses of proxies"),
        (
            "[ingress.proxies]\ntrusted = [\"10.0.0.0/33\"]",
            "expected an address or a network such as \"203.0.113.0/24\"",
        ),
        ("[ingress.proxies]\ntrusted = [\"10.0.0.0/8\"]\naddress_header = \"x y\"", "expected the name of a header"),
        ("[ingress.proxies]\ntrusted = \"10.0.0.0/8\"", "expected a list of addresses"),
        ("[ingress]\nmax_connections_by_address = 0", "from 1 to 100000"),
        ("[ingress.tsl]", "did you mean tls?"),
    ] {
        let found = problems(&edge(lines));
        assert!(found.iter().any(|(_, text)| text.contains(expected)), "{expected} in {found:#?}");
    }
    for (line, expected) in [
        ("success_status = 404", "expected a whole number from 200 to 299"),
        ("addresses = [\"everywhere\"]", "expected an address or a network"),
        ("max_per_second = -1", "expected a whole number from 0"),
    ] {
        let found = problems(&format!("{GOOD}{line}\n"));
        assert!(found.iter().any(|(_, text)| text.contains(expected)), "{expected} in {found:#?}");
    }
}

#[test]
fn a_bank_is_known_by_its_authorities_and_its_organisation() {
    let account = |profile: &str, lines: &str| {
        format!("[accounts.bank]\ngateway = \"openfinance\"\nprofile = \"{profile}\"\nmode = \"test\"\n{lines}\n")
    };
    let organisation = "external_id = \"b961c4eb-509d-4edf-afeb-35642b38185d\"";
    let authorities = "client_certificates = { authorities = \"icp.pem\" }";
    for (profile, good) in [
        ("ofb", format!("{organisation}\n{authorities}")),
        ("efi", authorities.to_owned()),
        ("efi", "path_tokens = [{ file = \"one\" }]".to_owned()),
        ("efi", format!("{authorities}\npath_tokens = [{{ file = \"one\" }}]")),
    ] {
        assert_eq!(problems(&account(profile, &good)), [], "{good}");
    }
    for (profile, lines, expected) in [
        ("ofb", authorities, "external_id: expected the organisation id of the bank in the Directory"),
        ("ofb", organisation, "client_certificates: expected a table such as"),
        ("ofb", "client_certificates = {}", "authorities: expected a file of certificates in PEM, got nothing"),
        ("ofb", "client_certificates = { authorities = \"nowhere\" }", "nowhere cannot be read"),
        ("ofb", "client_certificates = { authorities = \"leaf.pem\" }", "at place 1 that may not vouch for others"),
        (
            "ofb",
            "client_certificates = { authorities = \"icp.pem\", revoked = \"icp.pem\" }",
            "expected lists of revoked",
        ),
        (
            "ofb",
            "client_certificates = { authorities = \"icp.pem\", unknown_revocation = \"deny\" }",
            "expected a file of revocations",
        ),
        (
            "ofb",
            "client_certificates = { authorities = \"icp.pem\", unknown_revocation = \"x\" }",
            "expected one of allow, deny",
        ),
        ("ofb", "client_certificates = { authority = \"icp.pem\" }", "did you mean authorities?"),
        ("efi", "", "expected one of client_certificates, path_tokens; an account without proof does not start"),
    ] {
        let found = problems(&account(profile, lines));
        assert!(found.iter().any(|(_, text)| text.contains(expected)), "{expected} in {found:#?}");
    }
}

#[test]
fn a_bank_is_asked_by_a_client_that_signs_and_its_keys_are_the_directorys() {
    let account = |api: &str| {
        format!(
            "[accounts.bank]\ngateway = \"openfinance\"\nprofile = \"ofb\"\nmode = \"test\"\n\
             external_id = \"b961c4eb-509d-4edf-afeb-35642b38185d\"\nclient_certificates = {{ authorities = \"icp.pem\" }}\n\
             [accounts.bank.api]\n{api}\n"
        )
    };
    let good = "base = \"https://api.bank.example\"\nclient_id = \"c\"\ntoken_endpoint = \"https://auth.bank.example/token\"\n\
                signing_key = { file = \"client.pem\" }\nsigning_key_id = \"k\"\norganisation = \"5A3F2F5E-7b0d-4d2f-9c61-8e1a9d5b6c70\"\n";
    let config = parse(folder().path(), &account(good), &|_| None).unwrap();
    let signed = config.accounts[0].access.clone().unwrap().signed.unwrap();
    let shown = "https://keystore.directory.openbankingbrasil.org.br/b961c4eb-509d-4edf-afeb-35642b38185d";
    assert_eq!(signed.base.to_string(), shown);
    assert_eq!(&*signed.expected.audience, "5a3f2f5e-7b0d-4d2f-9c61-8e1a9d5b6c70");
    let without = |key: &str| {
        let lines = good.lines().filter(|line| !line.starts_with(key));
        lines.collect::<Vec<_>>().join("\n")
    };
    for (api, expected) in [
        (without("base"), "api.base: expected the address of the API, got nothing"),
        (without("client_id"), "client_id: expected the id the bank registered us under"),
        (without("token_endpoint"), "token_endpoint: expected the whole address"),
        (without("signing_key_id"), "signing_key_id: expected the name (kid)"),
        (without("signing_key "), "signing_key: expected a reference to a private key"),
        (without("organisation"), "organisation: expected our own organisation id"),
        (good.replace("client.pem", "one"), "expected a private key in PEM (PKCS #8), got something else"),
        (good.replace("client.pem", "icp.pem"), "chmod 600"),
        (good.replace("https://auth", "http://auth"), "expected https://, got http:// to another machine"),
        (format!("{good}certificate = \"leaf.pem\""), "expected certificate and certificate_key, got one of them"),
        (
            format!("{good}certificate = \"leaf.pem\"\ncertificate_key = {{ file = \"client.pem\" }}"),
            "the key is not that of the certificate",
        ),
        (format!("{good}authorities = \"one\""), "expected certificates of authorities in PEM, got none"),
        (format!("{good}keys_base = \"https://keys.example.com\""), "not an address of the gateway (keystore."),
        (format!("{good}token = {{ file = \"one\" }}"), "token: unknown key"),
    ] {
        let found = problems(&account(&api));
        assert!(found.iter().any(|(_, text)| text.contains(expected)), "{expected} in {found:#?}");
    }
}

#[test]
fn what_is_shown_to_be_let_in_says_which_api_is_asked_and_where_its_tokens_are() {
    let account = |api: &str| {
        format!(
            "[accounts.loja]\ngateway = \"appmax\"\nmode = \"test\"\npath_tokens = [{{ file = \"one\" }}]\n[accounts.loja.api]\n{api}\n"
        )
    };
    let client = "client_id = \"c\"\nclient_secret = { file = \"two\" }";
    let access = |api: &str| {
        let config = parse(folder().path(), &account(api), &|_| None).unwrap();
        let access = config.accounts[0].access.clone().unwrap();
        (
            access.api.name,
            access.base.to_string(),
            format!("{:?}", access.auth).contains("auth.appmax.com.br"),
            access.budget,
        )
    };
    let (name, base, own_tokens, budget) = access(client);
    assert_eq!((name, &*base, own_tokens), ("v1", "https://api.appmax.com.br", true));
    assert_eq!((budget.per_second, budget.per_month), (5, Some(100_000)));
    assert_eq!(access("token = { file = \"two\" }").0, "v3");
    let sandbox = format!("{client}\nbase = \"https://api.sandboxappmax.com.br\"");
    let found = problems(&account(&sandbox));
    assert!(found[0].1.contains("token_base: expected where tokens are given out"), "{found:#?}");
    assert_eq!(problems(&account(&format!("{sandbox}\ntoken_base = \"https://auth.sandboxappmax.com.br\""))), []);
    let played = format!("{client}\nbase = \"http://127.0.0.1:8440\"\nallow_other_host = true");
    assert_eq!(problems(&account(&played)), [], "where the API is asked elsewhere, so are its tokens");
}

#[test]
fn the_environment_overrides_the_file_and_gives_secrets() {
    let folder = folder();
    let text = GOOD.replace("{ file = \"one\" }", "{ env = \"SHOP\" }");
    let variables = |name: &str| match name {
        "AFLUENTE_INGRESS_LISTEN" => Some("127.0.0.1:9999".to_owned()),
        "SHOP" => Some("whsec_from_outside".to_owned()),
        _ => None,
    };
    let config = parse(folder.path(), &text, &variables).unwrap();
    assert_eq!(config.ingress_listen().port(), 9999);
    assert_eq!(config.accounts[0].credentials.all().len(), 1);
}

#[test]
fn a_wrong_variable_is_named_instead_of_a_line_of_the_file() {
    let folder = folder();
    let text = format!("[ingress]\nlisten = \"127.0.0.1:1\"\n{GOOD}");
    for variable in ["AFLUENTE_INGRESS_LISTEN", "AFLUENTE_ADMIN_LISTEN", "AFLUENTE_LOG_FORMAT", "AFLUENTE_LOG"] {
        let found = parse(folder.path(), &text, &|name| (name == variable).then(|| "a=b=c".to_owned())).unwrap_err();
        let [problem] = found.as_slice() else { panic!("expected one problem, got {found:#?}") };
        assert_eq!(problem.line, None, "{problem:?}");
        assert!(problem.text.contains(&format!("environment variable {variable}")), "{problem:?}");
    }
}

#[test]
fn a_readable_sealing_key_is_a_problem_and_a_missing_one_is_made_by_the_first_start() {
    let folder = folder();
    let key = folder.path().join(SEAL_KEY_FILE);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let readable = parse(folder.path(), GOOD, &|_| None).unwrap_err();
    assert!(readable[0].text.contains("mode 640"), "{readable:?}");
    std::fs::remove_file(&key).unwrap();
    let config = parse(folder.path(), GOOD, &|_| None).unwrap();
    assert!(config.notes[0].contains("the first `afluente up` makes it"), "{:?}", config.notes);
    assert!(config.seal_keys().is_err());
}

#[test]
fn several_sealing_keys_are_named_in_order_and_each_mistake_is_told() {
    let folder = folder();
    std::fs::write(folder.path().join("new"), "b".repeat(64)).unwrap();
    std::fs::set_permissions(folder.path().join("new"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let with = |keys: &str| format!("[queue]\nseal_keys = {keys}\n{GOOD}");
    let good = with("[{ file = \"new\" }, { file = \"seal.key\" }]");
    assert!(parse(folder.path(), &good, &|_| None).unwrap().seal_keys().is_ok());
    for (keys, expected) in [
        ("[]", "expected a list of references"),
        ("\"seal.key\"", "expected a list of references"),
        ("[\"seal.key\"]", "expected a reference"),
        ("[{ file = \"one\" }]", "one: expected a seal key of 64 hex digits"),
        ("[{ file = \"missing\" }]", "missing cannot be read"),
    ] {
        let found = parse(folder.path(), &with(keys), &|_| None).unwrap_err();
        assert!(found[0].text.contains(expected) && found[0].line == Some(2), "{keys}: {found:?}");
    }
}

#[test]
fn one_account_at_the_gateway_is_configured_once() {
    let account = |name: &str, file: &str, more: &str| {
        format!(
            "[accounts.{name}]\ngateway = \"stripe\"\nmode = \"test\"\nsecrets = [{{ file = \"{file}\" }}]\n{more}\n"
        )
    };
    let id = "external_id = \"acct_1\"";
    let twice = problems(&format!("{}{}", account("shop", "one", id), account("loja", "two", id)));
    assert!(twice[0].1.contains("acct_1 is also that of account shop"), "{twice:?}");
    let replaces = format!("{}{}", account("shop", "one", ""), account("loja", "two", "replaces = \"shop\""));
    assert!(problems(&replaces)[0].1.contains("configured no longer, got shop, which is"), "{replaces}");
}

#[test]
fn a_listener_others_can_reach_is_allowed_and_noted() {
    let folder = folder();
    let config = parse(folder.path(), &format!("[ingress]\nlisten = \"0.0.0.0:80\"\n{GOOD}"), &|_| None).unwrap();
    assert!(config.notes[0].contains("other machines can reach"), "{:?}", config.notes);
}

/// Where the ledger of this configuration is, with `DATABASE_URL` set to this.
fn ledger_of(section: &str, variable: Option<&str>) -> Result<(String, Vec<String>), Vec<Problem>> {
    let folder = folder();
    std::fs::write(folder.path().join("url"), "postgres://ana:s3cret@db/shop\n").unwrap();
    std::fs::set_permissions(folder.path().join("url"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let variables = |name: &str| variable.filter(|_| name == "DATABASE_URL").map(str::to_owned);
    let config = parse(folder.path(), &format!("{section}{GOOD}"), &variables)?;
    let place = match &config.ledger {
        Location::Folder(_) => "folder".to_owned(),
        Location::Server(server) => server.to_string(),
    };
    Ok((place, config.notes))
}

#[test]
fn the_ledger_is_a_file_unless_a_url_says_otherwise_and_the_file_goes_before_the_environment() {
    let place = |section: &str, variable| ledger_of(section, variable).unwrap().0;
    assert_eq!(place("", None), "folder");
    assert_eq!(place("", Some("postgres://db/other")), "postgres://db:5432/other");
    assert_eq!(place("[ledger]\nurl = \"postgres://ana@db:6432/shop\"", None), "postgres://db:6432/shop");
    assert_eq!(place("[ledger]\nurl = { file = \"url\" }\n[worker]\nworkers = 4", None), "postgres://db:5432/shop");
    let (place, notes) = ledger_of("[ledger]\nurl = { file = \"url\" }", Some("postgres://db/other")).unwrap();
    assert_eq!(place, "postgres://db:5432/shop");
    assert!(notes.iter().any(|note| note.contains("DATABASE_URL is set and not used")), "{notes:?}");
}

#[test]
fn a_ledger_url_that_is_wrong_or_shows_a_password_is_refused_without_repeating_it() {
    for (section, variable, expected) in [
        ("[ledger]\nurl = \"mysql://a:s3cret@b/c\"", None, "ledger.url: expected postgres://"),
        ("[ledger]\nurl = \"postgres://a:s3cret@b/c\"", None, "expected a reference such as"),
        ("[ledger]\nurl = \"postgres://b/c?password=s3cret\"", None, "expected a reference such as"),
        ("[ledger]\nurl = 5", None, "ledger.url: expected a text, or a reference"),
        ("[ledger]\nurl = { file = \"none\" }", None, "none cannot be read"),
        ("[ledger]\nuri = \"postgres://b/c\"", None, "did you mean url?"),
        ("", Some("mysql://a:s3cret@b/c"), "environment variable DATABASE_URL: expected postgres://"),
        ("[worker]\nworkers = 2", None, "worker.workers: expected 1 for a ledger in a file"),
    ] {
        let problems = ledger_of(section, variable).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let text = &problems[0].text;
        assert!(text.contains(expected) && !text.contains("s3cret"), "{text}");
    }
}

/// A broker's options as the configuration and the environment say.
fn broker(queue: &str, variable: Option<&str>) -> Result<Option<afluente_queue::RabbitOptions>, Vec<Problem>> {
    let folder = folder();
    let amqp = |name: &str| variable.filter(|_| name == "AMQP_URL").map(str::to_owned);
    let config = parse(folder.path(), &format!("[queue]\n{queue}{GOOD}"), &amqp)?;
    Ok(match config.queue {
        QueueConfig::Embedded { .. } => None,
        QueueConfig::Broker { options, .. } => Some(*options),
    })
}

#[test]
fn a_broker_is_named_by_the_file_or_else_by_the_environment() {
    assert!(broker("", None).unwrap().is_none(), "a file in the folder is the default");
    let named =
        broker("url = \"amqps://shop@one.example,two.example/v\"\nprefix = \"loja\"", Some("amqp://else")).unwrap();
    let named = named.unwrap();
    assert_eq!(named.url.to_string(), "amqps://one.example:5671,two.example:5671/v");
    assert_eq!((named.prefix.as_str(), named.prefetch, named.confirm_within), ("loja", 512, Duration::from_secs(4)));
    let from_variable = broker("", Some("amqp://user:word@localhost/")).unwrap().unwrap();
    assert_eq!(from_variable.url.to_string(), "amqp://localhost:5672/");
}

#[test]
fn a_broker_s_password_and_bad_settings_are_refused_with_what_to_do() {
    let said = |queue: &str, variable: Option<&str>| broker(queue, variable).unwrap_err()[0].text.clone();
    let shown = said("url = \"amqp://user:s3cret@localhost\"", None);
    assert!(shown.contains("queue.url: expected a reference such as { file = \"queue.url\" }"), "{shown}");
    let other = said("", Some("http://user:s3cret@localhost"));
    assert!(other.starts_with("environment variable AMQP_URL: expected amqp://"), "{other}");
    assert!(!format!("{shown}{other}").contains("s3cret"));
    assert!(said("prefix = \"My Shop\"", None).contains("expected 1 to 64 lower-case letters"));
    for url in
        ["http://user:s3cret@localhost:1", "amqp://localhost", "http://localhost/api", "localhost:15672", "nothing"]
    {
        let text = said(&format!("management_url = \"{url}\""), None);
        assert!(text.contains("queue.management_url: expected http://HOST:PORT") && !text.contains("s3cret"), "{text}");
    }
}

/// What people paste, and what they are told; nothing where it is taken.
const PASTED: &[(&str, &str)] = &[
    ("whsec_number_one", ""),
    ("whsec_number_one\n", ""),
    ("  whsec_number_one\r\n\r\n", ""),
    ("\u{feff}whsec_number_one\n", ""),
    ("whsec_ends+in/base64==", ""),
    ("", "got an empty text"),
    (" \n\t", "got an empty text"),
    ("\u{feff}", "got an empty text"),
    ("\"whsec_number_one\"", "in quotation marks: leave only what stands between them"),
    ("'whsec_number_one'", "in quotation marks"),
    ("“whsec_number_one”", "in quotation marks"),
    ("`whsec_number_one`", "in quotation marks"),
    ("STRIPE_WEBHOOK_SECRET=whsec_number_one", "got NAME=value: leave only what stands behind the equals sign"),
    ("export STRIPE_SECRET=\"whsec_number_one\"", "got NAME=value"),
    ("secret = whsec_number_one", "got NAME=value"),
    ("whsec_number one", "without blanks"),
    ("whsec_number\tone", "without blanks"),
    ("whsec_number_\u{a0}one", "without blanks"),
    ("whsec_number_one\nwhsec_number_two", "got 2 lines: one secret a file or variable"),
    ("# the shop's\nwhsec_number_one", "got a comment (#)"),
    ("whsec_number_one # the shop's", "got a comment (#)"),
    ("whsec_number_\u{200b}one", "got the character U+200B"),
    ("whsec_número_um", "got the character U+00FA"),
    ("we_1QEndpointOfTheShop", "got the endpoint's id (we_…): paste the signing secret of the webhook endpoint"),
    ("sk_live_number_one", "got a secret API key (sk_…)"),
    ("rk_test_number_one", "got a restricted API key (rk_…)"),
    ("pk_test_number_one", "got a publishable API key (pk_…)"),
    ("number_one_without_a_beginning", "expected a secret that begins with whsec_, got something else"),
    ("whsec_", "at least 8 characters, got 6"),
];

#[test]
fn a_secret_is_taken_or_refused_as_people_paste_it_and_the_message_never_shows_it() {
    let folder = folder();
    let file = folder.path().join("pasted");
    let by = |reference: &str| GOOD.replace("{ file = \"one\" }", reference);
    for (text, expected) in PASTED {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let from_file = parse(folder.path(), &by("{ file = \"pasted\" }"), &|_| None);
        let set = |name: &str| (name == "SHOP_SECRET").then(|| (*text).to_owned());
        let from_variable = parse(folder.path(), &by("{ env = \"SHOP_SECRET\" }"), &set);
        for (source, read) in [("pasted", from_file), ("SHOP_SECRET", from_variable)] {
            let Err(problems) = read else {
                assert_eq!(*expected, "", "{text:?} was taken");
                continue;
            };
            assert_eq!((problems.len(), problems[0].line), (1, Some(5)), "{text:?}: {problems:#?}");
            let told = &problems[0].text;
            // An empty variable is one that is not set.
            let unset = source == "SHOP_SECRET" && text.is_empty() && told.contains("is not set");
            assert!(!expected.is_empty() && (unset || told.contains(expected)), "{text:?}: {told}");
            assert!(told.starts_with("accounts.shop.secrets: ") && told.contains(source), "{told}");
            assert!(!told.contains("number"), "a secret is shown: {told}");
        }
    }
}

/// A configuration with anything changed is read or refused with lines and words; it is never a panic.
#[test]
fn configurations_with_anything_changed_are_read_or_refused() {
    use afluente_testkit::fuzz::{fuzz, mutated};
    let folder = folder();
    let example = file::EXAMPLE.replace("\n#", "\n");
    let words: [&[u8]; 16] = [
        b"[accounts.x]",
        b"[ingress.tls]",
        b"[ingress.proxies]",
        b"= []",
        b"= {}",
        b"= -1",
        b"= 99999999999999999999",
        b"= 1.5",
        b"= \"\"",
        b"{ file = \"one\" }",
        b"{ env = \"X\" }",
        b"\"\"\"",
        b"\\u0000",
        b"gateway = \"openfinance\"",
        b"#",
        b"\n",
    ];
    fuzz("configuration", |random| {
        let bytes = mutated(random, example.as_bytes(), &words);
        let Ok(text) = String::from_utf8(bytes) else { return };
        if let Err(problems) = parse(folder.path(), &text, &|_| None) {
            assert!(!problems.is_empty() && problems.iter().all(|problem| problem.text.len() < 4_000), "{problems:?}");
        }
    });
}
