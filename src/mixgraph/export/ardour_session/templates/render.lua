-- Run by ardour7-lua: opens a session and exports its range as float WAV.
AudioEngine:set_backend ("None (Dummy)", "", "")
local session = load_session (os.getenv ("MIXGRAPH_SESSION"), os.getenv ("MIXGRAPH_SNAPSHOT"))
assert (session, "cannot open the session")
-- Latencies are worked out in the background once a session is loaded.
os.execute ("sleep 1")
local export = session:simple_export ()
export:set_folder (os.getenv ("MIXGRAPH_OUTPUT"))
export:set_name ("render")
assert (export:set_preset ("2f9a3c1e-6d57-4e0b-9c38-5b1f6f1d7a10"), "the preset of export is missing")
assert (export:run_export (), "the export failed")
-- Closing may crash or hang: say that the file is complete first.
io.open (os.getenv ("MIXGRAPH_OUTPUT") .. "/done", "w"):close ()
close_session ()
