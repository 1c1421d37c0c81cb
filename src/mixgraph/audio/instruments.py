"""What the words of track names mean: the data behind guessed subgroups. Extend the tables freely."""

from __future__ import annotations

FAMILIES: dict[str, str] = {
    "drums": """drum drums drumkit kit kick kicks kik kck bd snare snares snr sidestick rim rimshot hihat hihats hat
        hats hh tom toms cymbal cymbals crash ride splash overhead overheads oh clap claps handclaps snap snaps
        tambourine tambourines tamborine tamb shaker shakers brushes sticks cajon cowbell woodblock vibraslap chimes
        click clicks cymb cymbs ohs china floortom racktom bassdrum kickdrum""",
    "percussion": """percussion percussions perc bongo bongos conga congas djembe tabla taiko timpani timbales maracas
        guiro cabasa triangle claves darbuka udu cuica surdo gong""",
    "bass": "bass upright sub subbass",
    "guitars": "guitar guitars gtr gtrs git slide pedalsteel",
    "electric_guitars": "elecgtr elecgtrs egtr eg",
    "acoustic_guitars": "acgtr agtr ag",
    "banjo": "banjo",
    "mandolin": "mandolin mandola",
    "ukulele": "ukulele ukelele uke",
    "piano": "piano pianos pno",
    "electric_piano": "rhodes wurlitzer wurli wurly epiano clavinet clav",
    "organ": "organ organs hammond leslie",
    "accordion": "accordion accordian",
    "keys": "keys key keyboard keyboards mellotron celesta harpsichord",
    "synths": "synth synths syn synthesizer synthesiser arp pad pads moog juno minilogue",
    "strings": "string strings violin violins vln viola violas vla cello cellos celli fiddle contrabass basses",
    "harp": "harp",
    "mallets": "marimba vibraphone vibes xylophone glockenspiel glock bells kalimba",
    "brass": "brass horn horns trumpet trumpets tpt trombone trombones tbn tuba cornet flugelhorn",
    "woodwinds": """woodwind woodwinds flute flutes piccolo oboe oboes clarinet clarinets bassoon bassoons recorder
        whistle""",
    "saxophones": "sax saxes saxophone saxophones",
    "choir": "choir chorus",
    "vocals": "vox voxes vocal vocals voc vocs voice voices rap whisper whispers scream screams shout shouts",
    "lead_vocals": "leadvox leadvocal ldvox lv",
    "backing_vocals": "bgvox bvox backvox bv bvs bgv bgvs bvox bvs harmony harmonies harm",
}
"""Group → words; the first word of a name that is in the table decides."""

WEAK_FAMILIES: dict[str, str] = {
    "drums": "loop loops beat beats break breaks fill fills scratch scratches",
    "fx": "fx sfx effect effects noise riser sweep",
    "room": "room rooms ambience ambient amb",
}
"""Group → words that decide only where no word of `FAMILIES` is in the name: "SnareFX" is a snare."""

REFINEMENTS: dict[str, dict[str, str]] = {
    "guitars": {
        "electric_guitars": "elec electric ele e dist distorted clean crunch amp",
        "acoustic_guitars": "acoustic acous acou aco ac nylon",
        "bass": "bass",
    },
    "vocals": {
        "backing_vocals": "backing back background bg harmony harm bv",
        "lead_vocals": "lead main ld",
    },
    "bass": {"drums": "drum", "woodwinds": "clarinet flute", "saxophones": "sax saxophone"},
    "piano": {"electric_piano": "elec electric e ep"},
}
"""Group → group that it becomes → the words, anywhere in the name, that turn it."""

FILLERS = """audio track trk channel input sample samples default preset untitled bounce stem inst take part mic di main
    pair solo stereo mono l r m"""
"""Words that say nothing about the instrument."""
