"""A SUMO network written by hand: two directions, a tram, what lies inside a junction, and edges without a line."""

NET = """<?xml version="1.0" encoding="UTF-8"?>
<!-- generated -->
<net version="1.20" junctionCornerDetail="5" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <location netOffset="-389000.00,-5819000.00" convBoundary="0,0,2000,2000" origBoundary="13,52,14,53"
      projParameter="+proj=utm +zone=33 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"/>
    <type id="highway.primary" priority="12" numLanes="2" speed="27.78"/>
    <edge id=":J1_0" function="internal"><lane id=":J1_0_0" index="0" speed="5" length="1" shape="0,0 1,1"/></edge>
    <edge id="A" from="J1" to="J2" name="Main Street" priority="12" type="highway.primary">
        <lane id="A_0" index="0" allow="pedestrian" speed="1.4" length="100" width="2.00" shape="1000,995 1100,995"/>
        <lane id="A_1" index="1" speed="13.89" length="100" shape="1000,998 1100,998"/>
        <lane id="A_2" index="2" speed="13.89" length="100" shape="1000,998 1100,998"/>
    </edge>
    <edge id="-A" from="J2" to="J1" type="highway.primary">
        <lane id="-A_0" index="0" speed="8.33" length="100" width="4.0" shape="1100,1002 1000,1002"/>
    </edge>
    <edge id="B" from="J2" to="J3" type="highway.residential|railway.tram" shape="1100,1000,5 1100,1200,6">
        <lane id="B_0" index="0" speed="8.33" length="200" shape="1101,1000 1101,1200"/>
    </edge>
    <edge id="-C" from="J3" to="J1"><lane id="-C_0" index="0" speed="x" length="9" shape="1100,1200 1000,1000"/></edge>
    <edge id="D" from="J3" to="J1"><lane id="D_0" index="0" speed="9" length="9" shape="1100,1200"/></edge>
    <edge id="E" from="J3" to="J1"><lane id="E_0" index="0" speed="9" length="9" shape="nan,1 2,3"/></edge>
    <junction id="J1" type="dead_end" x="1000" y="1000" incLanes="" intLanes="" shape=""/>
</net>
"""
