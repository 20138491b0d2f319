//! What each help text ends with: examples above all.

pub(super) const LONGSHORE: &str = "\
Examples:
  longshore --api https://files.example.com/live signup ann
  longshore upload report.pdf --to /documents
  longshore download /documents/report.pdf

Environment:
  LONGSHORE_API           address of the API, like --api
  LONGSHORE_PASSWORD      password, instead of the prompt
  LONGSHORE_NEW_PASSWORD  new password for password and reset-password, instead of the prompt
  LONGSHORE_INVITATION    invitation code for signup, like --invitation
  LONGSHORE_RESET_CODE    code for reset-password, like --code
  LONGSHORE_TOKEN         personal access token, instead of a session
  LONGSHORE_CONFIG_DIR    folder of the session file [default: $XDG_CONFIG_HOME/longshore]

Line breaks at the end of passwords and white space around tokens are ignored.

Exit codes:
    0  success
    1  failed
    2  usage error
    3  not signed in
    4  not found, locally or remotely
    5  conflict: the name is taken, or the folder is not empty
    6  quota exceeded
    7  the API or the object store cannot be reached
    8  checksum mismatch; no file was saved
  130  interrupted (Ctrl-C, SIGTERM or SIGHUP); run upload or download again to resume

A command that takes several files or ids processes all that it can and reports each failure. Its exit code is the one
that all failures share, 3 or 7 if that made it stop, and 1 otherwise. A command whose output cannot be written fails; if
the reader of a pipe has gone, without a message.";

pub(super) const SIGNUP: &str = "\
Examples:
  longshore --api https://files.example.com/live signup ann
  longshore signup ann --invitation lsi_...";

pub(super) const LOGIN: &str = "\
A session stays valid as long as it is used at least once every 30 days, up to 180 days.

Examples:
  longshore login ann
  LONGSHORE_PASSWORD=\"$(cat password.txt)\" longshore login ann";

pub(super) const LOGOUT: &str = "\
Examples:
  longshore logout
  longshore logout --everywhere";

pub(super) const PASSWORD: &str = "\
Example:
  longshore password";

pub(super) const RESET_PASSWORD: &str = "\
Example:
  longshore reset-password ann --code lsi_...";

pub(super) const DELETE_ACCOUNT: &str = "\
Asks for the password and, unless --yes is set, for the name of the account.

Examples:
  longshore delete-account
  longshore delete-account --yes";

pub(super) const TOKEN: &str = "\
Set LONGSHORE_TOKEN to a token to use it.

Example:
  longshore token create ci --scope read --scope upload";

pub(super) const TOKEN_CREATE: &str = "\
Examples:
  longshore token create ci --scope read --scope upload --days 90
  export LONGSHORE_TOKEN=\"$(longshore token create backup --scope read)\"";

pub(super) const TOKEN_LS: &str = "\
Example:
  longshore token ls";

pub(super) const TOKEN_RM: &str = "\
Example:
  longshore token rm 0190c6a2f4b87d3e9a5b1c2d3e4f5061";

pub(super) const SESSION: &str = "\
Example:
  longshore session ls";

pub(super) const SESSION_LS: &str = "\
The current session is marked with an asterisk.

Example:
  longshore session ls";

pub(super) const SESSION_RM: &str = "\
Example:
  longshore session rm 0190c6a2f4b87d3e9a5b1c2d3e4f5061";

pub(super) const WHOAMI: &str = "\
Examples:
  longshore whoami
  longshore whoami --json";

pub(super) const UPLOAD: &str = "\
Only regular files are uploaded: no folders, pipes or devices, and no files that the system generates when they are read
(/proc, /sys). Of several files the valid ones are uploaded, and each other one is reported with the reason. If two files
would get the same name in the same folder, both are refused unless --on-conflict is rename. Names are compared after
Unicode normalization (NFC), with case.

Interrupted uploads resume when the same command is run again, in another terminal or days later. Bytes that are already
stored are not sent: those of the account's own files and, from 1 MiB on, those of any account after a proof of possession.
The output says \"instant\" then.

Examples:
  longshore upload report.pdf
  longshore upload *.jpg --to /photos/2026
  longshore upload report.pdf --to /documents --on-conflict replace";

pub(super) const LS: &str = "\
Examples:
  longshore ls
  longshore ls /photos/2026
  longshore ls -R /photos
  longshore ls / --json";

pub(super) const FIND: &str = "\
Neither the order of the words matters nor their case, nor how their letters are composed: \"strasse\" finds \"Straße\". Accents
do. What is in the trash is not found, and what was made a moment ago may be missing. The order is that of the store's index:
by folder, and by name in each.

Examples:
  longshore find annual report
  longshore find .jpg --under /photos
  longshore find report --json";

pub(super) const DU: &str = "\
The last line is the folder itself. Sizes are those of the files. The quota also counts unfinished uploads and what is in the
trash: longshore whoami.

Examples:
  longshore du
  longshore du /photos
  longshore du / --json";

pub(super) const DOWNLOAD: &str = "\
With --output -, nothing but the file is written to standard output. An existing pipe or device is written to and kept.
Bytes that were passed on to a pipe cannot be taken back: the exit code is 0 only if all of them were verified.

If the primary store has lost the file, the download goes on from a verified replica, even half-way.

Examples:
  longshore download /documents/report.pdf
  longshore download /documents/report.pdf --output copies/
  longshore download /backups/site.tar --output - | tar -x";

pub(super) const LINK: &str = "\
Standard output has the URL and nothing else. Anybody with the URL can download the file until it expires; it cannot be
revoked. What is downloaded is not verified: `longshore download` does that.

Examples:
  longshore link /documents/report.pdf
  curl --output report.pdf \"$(longshore link /documents/report.pdf)\"
  longshore link /documents/report.pdf --json";

pub(super) const MKDIR: &str = "\
Examples:
  longshore mkdir /photos
  longshore mkdir -p /photos/2026/november";

pub(super) const MV: &str = "\
If the last path is a folder, all others go into it and keep their names. If it is not there, it is the new path of the one
before; its folder has to be there. Contents, links and unfinished uploads into a folder are not affected.

Several are moved by one request for each hundred. What fails is told with its path, and the others are moved.

Examples:
  longshore mv report.pdf report-2026.pdf
  longshore mv a.jpg b.jpg /photos
  longshore mv --on-conflict rename a.jpg /photos";

pub(super) const CP: &str = "\
If the last path is a folder, copies of all others go into it and keep their names. If it is not there, it is the path of the
single copy; its folder has to be there. No bytes are transferred, but each copy counts in the quota.

Folders that are there already are used: what is copied is added to what they have, and --on-conflict is about the files. To
complete a copy of which files failed, run the same command with --on-conflict replace.

Examples:
  longshore cp report.pdf report-2026.pdf
  longshore cp a.jpg b.jpg /photos
  longshore cp -r /photos/2026 /archive";

pub(super) const RM: &str = "\
Files and folders, with all that is in them, go to the trash and stay there for 30 days, unless who operates the store has
configured something else. They count towards the quota until they are removed from there.

Several are removed by one request for each hundred. What fails is told with its path, and the others are removed.

Examples:
  longshore rm /documents/report.pdf
  longshore rm a.jpg b.jpg /documents
  longshore rm --permanently /old-photos
  longshore rm --upload /documents/report.pdf";

pub(super) const VERSIONS: &str = "\
A file that gets another content keeps the one that it had as a version, for as long as the operator has set. Versions
count in the quota.

Examples:
  longshore versions ls report.pdf
  longshore versions restore report.pdf 3";

pub(super) const VERSIONS_LS: &str = "\
Examples:
  longshore versions ls /documents/report.pdf
  longshore versions ls report.pdf --json";

pub(super) const VERSIONS_RESTORE: &str = "\
What is restored gets a new number: numbers are never used again.

Example:
  longshore versions restore /documents/report.pdf 3";

pub(super) const VERSIONS_DOWNLOAD: &str = "\
Examples:
  longshore versions download report.pdf 3 -o earlier.pdf
  longshore versions download archive.tar 1 -o - | tar -x";

pub(super) const VERSIONS_KEEP: &str = "\
Examples:
  longshore versions keep report.pdf 3
  longshore versions keep report.pdf 3 --no-longer";

pub(super) const VERSIONS_RM: &str = "\
Example:
  longshore versions rm report.pdf 1 2";

pub(super) const TRASH: &str = "\
Examples:
  longshore trash ls
  longshore trash restore /documents/report.pdf";

pub(super) const TRASH_LS: &str = "\
Without a path is what was in a folder that is not there any more: restore it with its id and --to.

Examples:
  longshore trash ls
  longshore trash ls --json";

pub(super) const TRASH_RESTORE: &str = "\
If several things with the same path are in the trash, the newest one is restored.

Examples:
  longshore trash restore /documents/report.pdf
  longshore trash restore --on-conflict rename report.pdf
  longshore trash restore --to /restored 0190c6a2f4b87d3e9a5b1c2d3e4f5061";

pub(super) const TRASH_RM: &str = "\
Examples:
  longshore trash rm /documents/report.pdf
  longshore trash rm 0190c6a2f4b87d3e9a5b1c2d3e4f5061";

pub(super) const TRASH_EMPTY: &str = "\
The trash is empty at once. The quota follows within minutes.

Examples:
  longshore trash empty
  longshore trash empty --yes";

pub(super) const UPLOADS: &str = "\
Examples:
  longshore uploads
  longshore uploads abort --all";

pub(super) const UPLOADS_ABORT: &str = "\
Examples:
  longshore uploads abort 0190c6a2f4b87d3e9a5b1c2d3e4f5061
  longshore uploads abort --all";

pub(super) const STATUS: &str = "\
Example:
  longshore status /documents/report.pdf";

pub(super) const REPLICAS: &str = "\
Example:
  longshore replicas status";

pub(super) const REPLICAS_STATUS: &str = "\
Examples:
  longshore replicas status
  longshore replicas status --json";

pub(super) const REPLICAS_REDRIVE: &str = "\
Examples:
  longshore replicas redrive
  longshore replicas redrive --target ceph";
