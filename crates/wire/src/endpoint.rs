//! What an endpoint says about itself.

use crate::answer::Answer;
use crate::body::Body;
use crate::path::Path;
use crate::problem::{AsCode, Code};
use crate::query::Query;
use domain::token::Scope;

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Anybody: a caller without an account yet, or with credentials in the body.
    Anybody,
    /// A session.
    Session,
    /// A session, or a personal access token with this scope.
    Scope(Scope),
    /// A session, or a personal access token with one of these scopes: which one, depends on what is asked for.
    EitherScope(Scope, Scope),
    /// A session, or a personal access token with this scope, of an operator.
    Operator(Scope),
}

/// [`Caller`] without scopes, as types: what a handler is told of who calls follows from it.
pub mod caller {
    /// [`super::Caller::Anybody`].
    #[derive(Debug)]
    pub enum Anybody {}
    /// [`super::Caller::Session`].
    #[derive(Debug)]
    pub enum Session {}
    /// [`super::Caller::Scope`].
    #[derive(Debug)]
    pub enum Scope {}
    /// [`super::Caller::EitherScope`].
    #[derive(Debug)]
    pub enum EitherScope {}
    /// [`super::Caller::Operator`].
    #[derive(Debug)]
    pub enum Operator {}
}

/// An endpoint. `endpoint!` makes it; what it takes and answers is nowhere else.
pub trait Endpoint: Send + Sync + Sized + 'static {
    /// The name of its function: `file-get` is `functions/src/file/get.rs`, `FileGetFunction` and `events/file-get/`.
    const FUNCTION: &'static str;
    /// The HTTP method, in capitals.
    const METHOD: &'static str;
    /// The path, with `{id}` for its variable.
    const PATH: &'static str;
    /// What the OpenAPI document calls it.
    const OPERATION: &'static str;
    /// What it does, in a line.
    const SUMMARY: &'static str;
    /// Who may call it.
    const CALLER: Caller;
    /// Whether it takes an `Idempotency-Key`.
    const IDEMPOTENT: bool;
    /// Whether it takes an `If-Match`.
    const CONDITIONAL: bool;
    /// All problems that it may answer.
    const PROBLEMS: &'static [Code];
    /// What each form of its answer means.
    const MEANINGS: &'static [&'static str];

    /// Who may call it, as a type.
    type Caller;
    /// `{id}`, or `()`.
    type Path: Path;
    /// The parameters of the query string, or `()`.
    type Query: Query;
    /// The body, or `()`.
    type Body: Body;
    /// What it answers when all is well.
    type Answer: Answer;
}

/// An endpoint may answer this problem.
#[diagnostic::on_unimplemented(
    message = "the endpoint `{Self}` does not declare the problem `{C}`",
    note = "add it to `problems` where `endpoint!` declares the endpoint, in crates/wire/src"
)]
pub trait Declares<C: AsCode>: Endpoint {}

/// Declares an endpoint: the summary as a comment, then
///
/// ```text
/// Get: "file-get", GET "/v1/files/{id}", getFile;
/// caller: Scope(Read),                    Anybody, Session, Scope(..), EitherScope(.. | ..) or Operator(..)
/// path: NodeId,                           if the path has {id}
/// query: Entries,                         if it has a query
/// body: Json<NewFolder>,                  if it has a body
/// idempotency: Key,                       if it takes an Idempotency-Key
/// precondition: IfMatch,                  if it takes an If-Match
/// answer: Json<Node> = "what it means",   or two, with | between them
/// problems: [NameTaken],                  besides those that follow from what is above: see `problems!`
/// ```
macro_rules! endpoint {
    (
        #[doc = $summary:literal]
        $name:ident: $function:literal, $method:ident $place:literal, $operation:ident;
        caller: $caller:ident $(($($scope:ident)|+))?,
        $(path: $path:ty,)?
        $(query: $query:ty,)?
        $(body: $body:ty,)?
        $(idempotency: $idempotency:ident,)?
        $(precondition: $precondition:ident,)?
        answer: $($answer:ty = $meaning:literal)|+,
        problems: [$($problem:ident),*],
    ) => {
        #[doc = $summary]
        #[derive(Debug)]
        pub enum $name {}

        impl crate::Endpoint for $name {
            const FUNCTION: &'static str = $function;
            const METHOD: &'static str = stringify!($method);
            const PATH: &'static str = $place;
            const OPERATION: &'static str = stringify!($operation);
            const SUMMARY: &'static str = $summary.trim_ascii_start();
            const CALLER: crate::Caller = crate::Caller::$caller $(($(domain::token::Scope::$scope),+))?;
            const IDEMPOTENT: bool = endpoint!(@is $($idempotency)?);
            const CONDITIONAL: bool = endpoint!(@is $($precondition)?);
            const PROBLEMS: &'static [crate::Code] = Self::ALL_PROBLEMS;
            const MEANINGS: &'static [&'static str] = &[$($meaning),+];

            type Caller = crate::caller::$caller;
            type Path = endpoint!(@or_unit $($path)?);
            type Query = endpoint!(@or_unit $($query)?);
            type Body = endpoint!(@or_unit $($body)?);
            type Answer = endpoint!(@one $($answer),+);
        }

        problems! {
            $name [TooManyRequests Internal Unavailable $($problem)*]
            $caller $(path [$path])? $(query [$query])? $(body [$body])? $(idempotency [$idempotency])? $(precondition [$precondition])?
        }
    };

    (@is) => { false };
    (@is Key) => { true };
    (@is IfMatch) => { true };
    (@or_unit) => { () };
    (@or_unit $type:ty) => { $type };
    (@one $answer:ty) => { $answer };
    (@one $first:ty, $second:ty) => { crate::answer::Either<$first, $second> };
}

/// Which problems follow from what an endpoint says.
macro_rules! problems {
    ($e:ident [$($c:ident)*] Anybody $($rest:tt)*) => {
        problems! { $e [$($c)*] $($rest)* }
    };
    ($e:ident [$($c:ident)*] Session $($rest:tt)*) => {
        problems! { $e [$($c)* Unauthorized Forbidden] $($rest)* }
    };
    ($e:ident [$($c:ident)*] Scope $($rest:tt)*) => {
        problems! { $e [$($c)* Unauthorized InsufficientScope] $($rest)* }
    };
    ($e:ident [$($c:ident)*] EitherScope $($rest:tt)*) => {
        problems! { $e [$($c)* Unauthorized InsufficientScope] $($rest)* }
    };
    ($e:ident [$($c:ident)*] Operator $($rest:tt)*) => {
        problems! { $e [$($c)* Unauthorized InsufficientScope Forbidden] $($rest)* }
    };
    ($e:ident [$($c:ident)*] path [$($t:tt)*] $($rest:tt)*) => {
        problems! { $e [$($c)* NotFound] $($rest)* }
    };
    // With a body, what is wrong with the query is a problem of the body's too.
    ($e:ident [$($c:ident)*] query [$($t:tt)*] body $($rest:tt)*) => {
        problems! { $e [$($c)*] body $($rest)* }
    };
    // Or of `If-Match`.
    ($e:ident [$($c:ident)*] query [$($t:tt)*] precondition [$($p:tt)*]) => {
        problems! { $e [$($c)*] precondition [$($p)*] }
    };
    ($e:ident [$($c:ident)*] query [$($t:tt)*] $($rest:tt)*) => {
        problems! { $e [$($c)* InvalidRequest] $($rest)* }
    };
    // And what is wrong with `If-Match`.
    ($e:ident [$($c:ident)*] body [$($t:tt)*] precondition [$($p:tt)*]) => {
        problems! { $e [$($c)* PreconditionFailed] body [$($t)*] }
    };
    ($e:ident [$($c:ident)*] body [$($t:tt)*] $($rest:tt)*) => {
        problems! { $e [$($c)* MalformedJson InvalidRequest PayloadTooLarge] $($rest)* }
    };
    ($e:ident [$($c:ident)*] idempotency [$($t:tt)*] $($rest:tt)*) => {
        problems! { $e [$($c)* KeyReused] $($rest)* }
    };
    ($e:ident [$($c:ident)*] precondition [$($t:tt)*]) => {
        problems! { $e [$($c)* InvalidRequest PreconditionFailed] }
    };
    ($e:ident [$($c:ident)*]) => {
        impl $e {
            const ALL_PROBLEMS: &'static [crate::Code] = &[$(crate::Code::$c),*];
        }
        $(impl crate::Declares<crate::code::$c> for $e {})*
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{code, file, folder, session};
    use std::marker::PhantomData;

    /// Whether an endpoint declares a code, as the compiler sees it.
    struct Sees<E, C>(PhantomData<(E, C)>);

    impl<E: Declares<C>, C: AsCode> Sees<E, C> {
        const IT: bool = true;
    }

    /// What [`Sees`] has where it has nothing by itself.
    trait Otherwise {
        const IT: bool = false;
    }

    impl<T> Otherwise for T {}

    #[test]
    fn the_compiler_sees_the_problems_that_are_declared_and_no_others() {
        let declared = [
            Sees::<folder::Create, code::NameTaken>::IT,
            Sees::<session::Refresh, code::Unauthorized>::IT,
            // Those that follow from who may call, from the path, the body and the key.
            Sees::<file::Get, code::InsufficientScope>::IT,
            Sees::<file::Get, code::NotFound>::IT,
            Sees::<folder::Create, code::PayloadTooLarge>::IT,
            Sees::<folder::Create, code::KeyReused>::IT,
        ];
        assert_eq!(declared, [true; 6]);
        let others = [
            Sees::<file::Get, code::NameTaken>::IT,
            Sees::<folder::Create, code::Unreadable>::IT,
            Sees::<session::Refresh, code::InsufficientScope>::IT,
            Sees::<folder::Create, code::NotFound>::IT,
            Sees::<file::Get, code::PayloadTooLarge>::IT,
            Sees::<session::Create, code::KeyReused>::IT,
        ];
        assert_eq!(others, [false; 6]);
    }

    #[test]
    fn the_list_of_problems_is_what_the_compiler_sees() {
        let problems = folder::Create::PROBLEMS;
        for code in [
            Code::NameTaken,
            Code::Unauthorized,
            Code::InvalidRequest,
            Code::KeyReused,
            Code::Internal,
        ] {
            assert!(problems.contains(&code), "{code:?}");
        }
        assert!(!problems.contains(&Code::NotFound));
    }
}
