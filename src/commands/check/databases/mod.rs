//! `check --databases`: logs in to both databases with the credentials of the spec, and looks.

mod through;

use crate::checks::databases::said::ProbeError;
use crate::checks::databases::{Expected, Place, Probed, Whose, judge};
use crate::checks::{Finding, Known, Snapshot};
use crate::cli::DatabasesArgs;
use crate::error::Failure;
use crate::net::dial::{Resolve, Way};
use crate::net::postgres::{Login, ask_mas, ask_synapse};
use crate::net::trust::Roots;
use crate::secrets::{PostgresPassword, SecretText};
use crate::session::Session;
use crate::session::findings;
use crate::session::inputs::{read_resolve, read_roots};
use crate::terminal::progress::Waiting;

/// How to get to the databases.
pub struct Ways {
    through_cluster: bool,
    resolve: Vec<Resolve>,
    roots: Option<Roots>,
}

pub fn ways(args: &DatabasesArgs) -> Result<Ways, Failure> {
    let resolve = args.resolve.iter().map(|text| read_resolve(text)).collect::<Result<_, _>>()?;
    let roots = args.ca_certificate.as_deref().map(read_roots).transpose()?;
    Ok(Ways { through_cluster: args.through_cluster, resolve, roots })
}

/// Looks at both side by side. What cannot be asked is a finding; nothing is written anywhere.
pub async fn look(session: &Session, snapshot: &Snapshot, ways: &Ways) -> Vec<Finding> {
    let expected = Expected::of(snapshot);
    let ui = session.ui();
    for place in [&expected.mas, &expected.synapse].into_iter().flatten() {
        let (secret, key) = &place.password;
        ui.status(format!(
            "{} database: logging in to {} as {} ({}) with the password of Secret {secret}, key {key}",
            place.whose.word(),
            place.words(),
            place.user,
            place.whose.path()
        ));
    }
    ui.status("Both are only read, each in one read-only transaction.");
    let roots = match &ways.roots {
        Some(roots) => Some(roots.clone()),
        // Reading them takes a while on some systems.
        None => tokio::task::spawn_blocking(Roots::of_system).await.ok().flatten(),
    };
    let progress = ui.progress();
    progress.waiting(Waiting::new("asking the databases; a minute at most", ui.terminal().now()));
    let look = Look { session, snapshot, ways, roots };
    let (mas, synapse) = tokio::join!(look.mas(&expected), look.synapse(&expected));
    drop(progress);
    let mut found = judge(&expected, &Probed { mas, synapse });
    findings::name_commands(session, &mut found);
    found
}

struct Look<'a> {
    session: &'a Session,
    snapshot: &'a Snapshot,
    ways: &'a Ways,
    roots: Option<Roots>,
}

/// What a login needs beside the place.
type Means = (SecretText, Way);

impl Look<'_> {
    async fn mas(&self, expected: &Expected) -> Result<crate::checks::databases::said::MasSaid, ProbeError> {
        let place = expected.place(Whose::Mas).map_err(|why| ProbeError::NotAsked(why.to_owned()))?;
        let (password, way) = self.means(place).await?;
        ask_mas(&Login { place, password: &password, way: &way, roots: self.roots.as_ref() }).await
    }

    async fn synapse(&self, expected: &Expected) -> Result<crate::checks::databases::said::SynapseSaid, ProbeError> {
        let place = expected.place(Whose::Synapse).map_err(|why| ProbeError::NotAsked(why.to_owned()))?;
        let (password, way) = self.means(place).await?;
        ask_synapse(&Login { place, password: &password, way: &way, roots: self.roots.as_ref() }, expected).await
    }

    async fn means(&self, place: &Place) -> Result<Means, ProbeError> {
        let password = self.password(place).await.map_err(ProbeError::NotAsked)?;
        let way = self.way(place).await.map_err(ProbeError::NoWay)?;
        Ok((password, way))
    }

    async fn password(&self, place: &Place) -> Result<SecretText, String> {
        let (name, key) = &place.password;
        let looked = match (place.whose, &self.snapshot.secret) {
            // It was read with everything else.
            (Whose::Mas, Known::Known(Some(contents))) if contents.name == *name => {
                Known::Known(contents.data.get(key).cloned())
            }
            _ => match self.session.secrets.get(&self.session.cluster, &self.session.target, name).await.0 {
                Known::Unreadable(why) => Known::Unreadable(why),
                Known::Known(None) => return Err(format!("there is no Secret {name}")),
                Known::Known(Some((contents, _))) => Known::Known(contents.data.get(key).cloned()),
            },
        };
        let value = match looked {
            Known::Unreadable(why) => return Err(format!("Secret {name} could not be read: {why}")),
            Known::Known(None) => return Err(format!("Secret {name} has no key {key}")),
            Known::Known(Some(value)) => value,
        };
        let password = PostgresPassword::parse(value.expose()).map_err(|error| error.to_string())?;
        Ok(password.value().clone())
    }

    async fn way(&self, place: &Place) -> Result<Way, String> {
        if let Some(address) = Resolve::named(&self.ways.resolve, &place.host, place.port, true) {
            return Ok(Way::To(vec![address]));
        }
        if self.ways.through_cluster {
            return through::way(&self.session.cluster, &self.session.target, place).await;
        }
        Ok(Way::Direct)
    }
}
