"""The stage that puts an accepted model into service, checks it there, and goes back if it must."""
