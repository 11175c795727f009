"""X-ray diffraction images of small crystals, with the command line of nanoBragg.

``command_line.parse.parse`` turns arguments into a request, ``setup.build.experiment`` a
request into an experiment, ``render.image.render`` an experiment into an image. Nothing is
imported here, so that ``--help`` need not wait for torch.
"""

__version__ = "0.1.0"
