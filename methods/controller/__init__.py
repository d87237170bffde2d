"""The retrain controller: what a day's evidence means, by one policy; pure, without store or clock."""
