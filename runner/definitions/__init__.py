"""What was written: YAML turned into checked, frozen objects.

A reader's way through the room, from the file to the object:

    project         a folder with its definitions; the door of the room
    loading         the files of a folder, read, checked, built
    yaml/           bytes → nodes that know where they stand; the traps of YAML
    schema          what keys there are;  refusals: what a schema refuses, in sentences
    build/          checked nodes → the frozen objects of model/
    expressions/    templates and expressions: read, checked for names, bounded, compiled
    problems        what is wrong, shown to people, programs, GitHub and code scanning
    explain         `terapi explain`, and the reference
    entered         what a person gives for a connection, held against its provider
    exchange        a request as it goes out, and an answer

Below them `values`, `bounds`, `conversions` and `words`, which every room may use.
"""
