"""What a user names, read once: a regular file, of a size that fits its kind, as the text it claims to be.

Everything else on a disk (a named pipe, a device, a socket, a folder) is refused before the first byte is read, so
that nothing waits for ever and nothing is read without end. What is written appears whole (`atomic`), and one process
at a time writes into a folder (`lock`).
"""

from gansynth.files.json_text import parse_json as parse_json
from gansynth.files.json_text import read_json as read_json
from gansynth.files.lock import hold as hold
from gansynth.files.lock import holding as holding
from gansynth.files.lock import is_first_process as is_first_process
from gansynth.files.names import as_seen as as_seen
from gansynth.files.names import is_text as is_text
from gansynth.files.names import known_classes as known_classes
from gansynth.files.names import known_counts as known_counts
from gansynth.files.names import name_key as name_key
from gansynth.files.names import plain_cell as plain_cell
from gansynth.files.names import shown as shown
from gansynth.files.names import spreadsheet_cell as spreadsheet_cell
from gansynth.files.names import typed_names as typed_names
from gansynth.files.regular import NoSuchFile as NoSuchFile
from gansynth.files.regular import is_named as is_named
from gansynth.files.regular import open_regular as open_regular
from gansynth.files.regular import read_bytes as read_bytes
from gansynth.files.regular import refuse_all_but_a_folder as refuse_all_but_a_folder
from gansynth.files.table import TableWriter as TableWriter
from gansynth.files.table import read_table as read_table
from gansynth.files.table import table_text as table_text
from gansynth.files.text import read_text as read_text
