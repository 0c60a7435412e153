use std::cell::RefCell;
use std::sync::Arc;

use crate::ask::Ask;
use crate::audit::Running;
use crate::denial::{DenialKind, Refusal};
use crate::fs::error::Miss;
use crate::fs::needs::{Act, Need};
use crate::fs::object::Object;
use crate::fs::path::{Fault, GuestPath};
use crate::fs::place::Place;
use crate::fs::{Base, Files, FsError, Kind};
use crate::grant::Guard;
use crate::path_pattern::PathPattern;
use crate::scope::Scope;
use crate::text::one_line;

/// One call of an operation: it reaches for one need after the other, and what that decided is recorded at
/// its end.
pub(super) struct Call<'a> {
    pub files: &'a Files,
    pub function: &'a str,
    used: Vec<(Guard, String)>,
}

/// Why a call ended early.
pub(super) enum Stop {
    Denied(Refusal, String),
    /// The grants allowed it all the same.
    Failed(FsError),
}

/// A path under one grant that covers it.
pub(super) struct Under<'a> {
    pub files: &'a Files,
    pub guard: &'a Guard,
    pub text: &'a str,
    path: &'a GuestPath,
    need: Need,
    base: Arc<Base>,
    pattern: &'a PathPattern,
    function: &'a str,
    /// What acts now, once all is decided.
    running: RefCell<Option<Running>>,
}

impl Files {
    /// Runs a call and records it: one denial, or one allowance for each need.
    pub(super) fn call<T>(
        &self,
        function: &str,
        run: impl FnOnce(&mut Call<'_>) -> Result<T, Stop>,
    ) -> Result<T, FsError> {
        let mut call = Call { files: self, function, used: Vec::new() };
        let done = match run(&mut call) {
            Ok(done) => Ok(done),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Denied(refusal, text)) => return Err(self.set().deny(refusal, text, function).into()),
        };
        for (guard, text) in call.used {
            self.set().allow(&guard, text, function);
        }
        done
    }
}

impl Call<'_> {
    /// Acts under the grants that cover the need, one after the other, until one reaches its object by all
    /// rules. An error that says something about the disk counts as allowed.
    pub fn reach<T>(
        &mut self,
        raw: &str,
        need: Need,
        act: impl Fn(&Under<'_>) -> Result<T, Miss>,
    ) -> Result<T, Stop> {
        let (path, text, guards) = self.covering(raw, need)?;
        let mut failed = None;
        let mut refused = None;
        for guard in guards {
            let (done, is_recorded) = self.act(&guard, (&path, &text), need, &act);
            match done {
                Ok(found) => {
                    if !is_recorded {
                        self.used.push((guard, text));
                    }
                    return Ok(found);
                }
                Err(Miss::Error(error)) => {
                    failed.get_or_insert((guard, error, is_recorded));
                }
                Err(Miss::Outside(why)) => {
                    let rule = format!("{}: {why}", guard.rule());
                    refused.get_or_insert(Refusal::because(DenialKind::NotGranted, rule));
                }
                Err(Miss::Ended(kind)) => {
                    refused.get_or_insert(Refusal::because(kind, guard.rule().clone()));
                }
                Err(Miss::Banned(refusal)) => {
                    refused.get_or_insert(refusal);
                }
            }
        }
        if let Some((guard, error, is_recorded)) = failed {
            if !is_recorded {
                self.used.push((guard, text));
            }
            return Err(Stop::Failed(error));
        }
        Err(Stop::Denied(refused.expect("every grant that covers the path was tried, and one does"), text))
    }

    /// Acts under one grant, and records the result of what was begun; whether anything was.
    fn act<T>(
        &self,
        guard: &Guard,
        path: (&GuestPath, &str),
        need: Need,
        act: &impl Fn(&Under<'_>) -> Result<T, Miss>,
    ) -> (Result<T, Miss>, bool) {
        let under = match Under::new(self, guard, path, need) {
            Ok(under) => under,
            Err(miss) => return (Err(miss), false),
        };
        let done = act(&under);
        let Some(running) = under.running.into_inner() else { return (done, false) };
        match &done {
            Ok(_) => running.finish(Ok(())),
            Err(Miss::Error(error)) => running.finish(Err(&error.to_string())),
            Err(_) => running.finish(Err("denied")),
        }
        (done, true)
    }

    /// Whether grants cover all that an operation with two paths needs, before it looks at the disk.
    pub fn cover(&self, act: Act, from: &str, to: &str) -> Result<(), Stop> {
        let (of_source, of_target) = act.needs();
        of_source.iter().try_for_each(|need| self.covering(from, *need).map(drop))?;
        of_target.iter().try_for_each(|need| self.covering(to, *need).map(drop))
    }

    /// The live grants that cover the need; the disk is not looked at.
    pub fn covering(&self, raw: &str, need: Need) -> Result<(GuestPath, String, Vec<Guard>), Stop> {
        let asks = need.asks();
        let path = match GuestPath::parse(raw) {
            Ok(path) => path,
            Err(Fault::Invalid(error)) => return Err(Stop::Failed(error)),
            Err(Fault::Climbs) => {
                let text = asks[0](raw.to_owned()).capability_text();
                let refusal = Refusal::because(DenialKind::NotGranted, "the path climbs above /");
                return Err(Stop::Denied(refusal, text));
            }
        };
        let asks: Vec<Ask> = asks.iter().map(|ask| ask(path.text.clone())).collect();
        let text = asks[0].capability_text();
        match self.files.set().covering(&asks) {
            Ok(guards) => Ok((path, text, guards)),
            Err(refusal) => Err(Stop::Denied(refusal, text)),
        }
    }
}

impl<'a> Under<'a> {
    fn new(
        call: &'a Call<'_>,
        guard: &'a Guard,
        (path, text): (&'a GuestPath, &'a str),
        need: Need,
    ) -> Result<Self, Miss> {
        let (Some(base), Scope::Path(pattern)) = (guard.base(), guard.capability().scope()) else {
            return Err(Miss::Ended(guard.alive().err().unwrap_or(DenialKind::Revoked)));
        };
        let (files, function, running) = (call.files, call.function, RefCell::new(None));
        Ok(Self { files, guard, text, path, need, base, pattern, function, running })
    }

    /// All is decided, and what follows acts: its start is recorded, once.
    pub fn begin(&self, operation: &'static str) {
        let mut running = self.running.borrow_mut();
        if running.is_none() {
            self.guard.count(None);
            *running = Some(self.files.set().begin(operation, self.guard, self.text, self.function));
        }
    }

    /// What the path leads to, with where that is checked.
    pub fn object(&self, follow: bool) -> Result<Object, Miss> {
        let below = self.below();
        // As in POSIX: a slash at the end follows a link, and only a directory may stand before it.
        let follow = follow || self.path.directory;
        let object =
            Object::locate(&self.base, below, follow).map_err(|miss| self.tell(miss, below, follow))?;
        self.permit(&object.location, || object.real_path())?;
        self.permit_object(&object)?;
        if self.path.directory && object.metadata.kind != Kind::Directory {
            return Err(FsError::NotDirectory.into());
        }
        Ok(object)
    }

    /// The same, if it is a regular file.
    pub fn file(&self, follow: bool) -> Result<Object, Miss> {
        let object = self.object(follow)?;
        match object.metadata.kind {
            Kind::File => Ok(object),
            Kind::Directory => Err(FsError::IsDirectory.into()),
            Kind::Symlink => Err(FsError::Loop.into()),
            kind => Err(FsError::NotFile(kind).into()),
        }
    }

    /// The name that the path ends in, in its checked directory; what stands there is not followed.
    pub fn place(&self) -> Result<Place, Miss> {
        let below = self.below();
        if self.is_base() {
            return Err(Miss::Outside("the directory that the grant begins at stays where it is".into()));
        }
        let place = Place::locate(&self.base, below).map_err(|miss| self.tell(miss, below, false))?;
        self.permit(&place.location, || place.real_path())?;
        self.permit_object(place.parent())?;
        Ok(place)
    }

    /// Whether the place is still where the pattern allows it; asked after something was made there.
    pub fn permit_place_now(&self, place: &Place) -> Result<(), Miss> {
        self.permit(&place.location_now(&self.base)?, || place.real_path())
    }

    /// Whether what was found at a place, with this identity, is not one of the host's own files.
    pub fn permit_identity(&self, place: &Place, device: u64, inode: u64) -> Result<(), Miss> {
        self.own(self.protected().covers(device, inode, || place.real_path()))
    }

    /// Whether none of the host's own files would move with the directory at a place.
    pub fn permit_moving(&self, place: &Place) -> Result<(), Miss> {
        self.own(self.protected().lies_below(place.real_path().as_deref()))
    }

    /// Whether the content of the object is granted with its name. Another name of the same file may lie
    /// anywhere, so a file with several is not written under any grant.
    pub fn permit_writing(&self, object: &Object) -> Result<(), Miss> {
        match object.metadata.kind == Kind::File && object.metadata.links > 1 {
            true => Err(Miss::Outside(format!(
                "the file has {} names, and another may lie outside",
                object.metadata.links
            ))),
            false => Ok(()),
        }
    }

    /// Whether the grant covers all below the directory at a place, whatever its name.
    pub fn permit_whole(&self, place: &Place) -> Result<(), Miss> {
        if !PathPattern::whole(&place.location).is_some_and(|whole| self.pattern.includes(&whole)) {
            return Err(Miss::Outside(
                "a directory moves only under a grant of all that lies below it".into(),
            ));
        }
        let set = self.files.set();
        if !set.bans_paths() {
            return Ok(());
        }
        let real = place.real_path().ok_or_else(unknown)?;
        let banned = [&place.location, &real].into_iter().find_map(|path| set.ban_below(path));
        banned.map_or(Ok(()), |refusal| Err(Miss::Banned(refusal)))
    }

    pub fn base(&self) -> &Base {
        &self.base
    }

    pub fn is_base(&self) -> bool {
        self.below() == "."
    }

    /// The path was written as that of a directory.
    pub fn wants_directory(&self) -> bool {
        self.path.directory
    }

    fn below(&self) -> &str {
        self.base.below(&self.path.text)
    }

    /// The one place where it is decided whether a real location is granted, and not banned. `real`: the same as the
    /// host writes it, which differs where links led to the directory that the grant begins at.
    fn permit(&self, location: &str, real: impl FnOnce() -> Option<String>) -> Result<(), Miss> {
        if !self.pattern.matches(location) {
            return Err(Miss::Outside(format!("what was opened is {}", one_line(location))));
        }
        let set = self.files.set();
        if !set.bans_paths() {
            return Ok(());
        }
        let real = real().ok_or_else(unknown)?;
        // Of a file that was removed meanwhile.
        let removed = real.strip_suffix(" (deleted)").unwrap_or(&real);
        let asks: Vec<Ask> = [location, &real, removed]
            .into_iter()
            .flat_map(|path| self.need.asks().iter().map(|ask| ask(path.to_owned())))
            .collect();
        set.ban_of(&asks).map_or(Ok(()), |refusal| Err(Miss::Banned(refusal)))
    }

    fn permit_object(&self, object: &Object) -> Result<(), Miss> {
        let (device, inode) = (object.metadata.device, object.metadata.inode);
        self.own(self.protected().covers(device, inode, || object.real_path()))?;
        if self.files.stays_on_device() && !object.is_on_mount_of(&self.base) {
            return Err(Miss::Outside("it lies on another mount than the granted directory".into()));
        }
        self.permit_names(object)
    }

    /// Whether none of the file's other names is banned. Only those that a ban spells out are looked at.
    fn permit_names(&self, object: &Object) -> Result<(), Miss> {
        let metadata = &object.metadata;
        if metadata.kind != Kind::File || metadata.links <= 1 {
            return Ok(());
        }
        let asks = |path: &str| self.need.asks().iter().map(|ask| ask(path.to_owned())).collect();
        let banned = self.files.set().ban_of_names(metadata.device, metadata.inode, asks);
        banned.map_or(Ok(()), |refusal| Err(Miss::Banned(refusal)))
    }

    fn own(&self, protected: bool) -> Result<(), Miss> {
        match protected {
            true => Err(Miss::Outside("the host's own files are denied to every actor".into())),
            false => Ok(()),
        }
    }

    fn protected(&self) -> &crate::protected::Protected {
        self.files.set().audit().protected()
    }

    /// The error might describe what a link in the granted directory points to, and that may lie outside
    /// of the pattern: only a grant of the whole directory may tell. Nor may it tell which names are free
    /// in a protected directory.
    fn tell(&self, miss: Miss, below: &str, follow: bool) -> Miss {
        let whole = || self.pattern.is_whole_below(self.base.depth());
        match miss {
            Miss::Error(_) if !whole() && Object::crosses_link(&self.base, below, follow) => {
                Miss::Outside("a link leads to nothing that can be checked".into())
            }
            Miss::Error(error) if self.protected().has_directories() => {
                self.permit_above(below).err().unwrap_or(error.into())
            }
            miss => miss,
        }
    }

    /// Asks of the nearest directory above that exists.
    fn permit_above(&self, below: &str) -> Result<(), Miss> {
        let mut above = below;
        while let Some((parent, _)) = above.rsplit_once('/') {
            if let Ok(found) = Object::locate(&self.base, parent, true) {
                return self.permit_object(&found);
            }
            above = parent;
        }
        Ok(())
    }
}

fn unknown() -> Miss {
    Miss::Outside("where it lies cannot be told, and something is banned".into())
}

impl From<FsError> for Stop {
    fn from(error: FsError) -> Self {
        Stop::Failed(error)
    }
}
