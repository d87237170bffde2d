"""Selection: which kinds of model suit the problem?"""
