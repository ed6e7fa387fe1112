"""The first files of somebody who begins: a policy, its test and a site file, from a few answers or from Butler's."""
