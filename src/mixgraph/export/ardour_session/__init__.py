"""The parts of an Ardour session: plugins as Lua scripts, strips, and the XML that names them all."""
